import { useEffect, useReducer } from 'react';
import { getInfo, getWallet, placeOrder, putWallet } from '../api/client';
import { brokenLink, Problem } from '../api/problem';
import { initialState, step, type State } from './state';
import { usePolling } from './usePolling';
import type { Placed } from './order';
import type { Sight } from './report';
import type { Order, Receipt, Wallet } from '../api/types';

const CALM = 2_000;
const URGENT = 500;

/** The row of a wallet; null without one, undefined without a table to look in. */
async function readWallet(id: string, signal: AbortSignal): Promise<Wallet | null | undefined> {
  try {
    return await getWallet(id, signal);
  } catch (error) {
    if (error instanceof Problem && error.slug === 'wallet-not-found') return null;
    if (error instanceof Problem && error.slug === 'wallets-table-missing') return undefined;
    throw error;
  }
}

async function look(
  id: string | null,
  signal: AbortSignal,
): Promise<{ sight: Sight; skew: number }> {
  const { info, skew } = await getInfo(signal);
  const wallet =
    id !== null && info.database.wallets_table ? await readWallet(id, signal) : undefined;
  return { sight: { info, wallet }, skew };
}

export interface Exchange {
  state: State;
  /** Places an order on the wallet of the address; throws a `Problem`. */
  order: (order: Order) => Promise<Receipt>;
  /** Creates a wallet, or gives the one there is; throws a `Problem`. */
  create: (id: string) => Promise<{ wallet: Wallet; created: boolean }>;
  dismissReport: () => void;
}

/** Keeps what is known of the exchange and of the wallet `id` up to date. */
export function useExchange(id: string | null): Exchange {
  const [state, dispatch] = useReducer(step, initialState);
  useEffect(() => {
    dispatch({ type: 'switched' });
  }, [id]);

  function missed(error: unknown, startedAt: number, order?: Placed): void {
    const link = error instanceof Problem ? brokenLink(error) : 'frontend';
    if (link === null) return;
    dispatch({ type: 'missed', startedAt, at: Date.now(), link, ...(order && { order }) });
  }

  usePolling(
    async (signal) => {
      const startedAt = Date.now();
      try {
        const { sight, skew } = await look(id, signal);
        if (!signal.aborted) {
          dispatch({ type: 'seen', startedAt, at: Date.now(), skew, sight });
        }
      } catch (error) {
        if (!signal.aborted) missed(error, startedAt);
      }
    },
    state.away ? URGENT : CALM,
    id,
  );

  return {
    state,
    async order(order) {
      if (id === null) throw new TypeError('an order needs a wallet');
      const startedAt = Date.now();
      try {
        const receipt = await placeOrder(id, order);
        dispatch({ type: 'wallet', at: Date.now(), wallet: receipt.wallet });
        return receipt;
      } catch (error) {
        missed(error, startedAt, { order, wallet: state.wallet });
        throw error;
      }
    },
    async create(newId) {
      const answer = await putWallet(newId);
      // The wallet of another address is read by the next poll.
      if (newId === id) dispatch({ type: 'wallet', at: Date.now(), wallet: answer.wallet });
      return answer;
    },
    dismissReport() {
      dispatch({ type: 'dismissed' });
    },
  };
}
