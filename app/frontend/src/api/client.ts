import { Problem, problemFrom } from './problem';
import type { Info, Mined, Order, PriceHistory, Receipt, Trade, Wallet, WalletList } from './types';

/** The backend answers within 2 s and nginx gives up after 7 s; a poll need not wait that long. */
const READ_TIMEOUT = 4_000;
const WRITE_TIMEOUT = 10_000;

interface Options {
  method?: 'GET' | 'PUT' | 'POST';
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** Throws a `Problem` for everything but a 2xx answer, and `signal`'s reason when aborted. */
async function request(path: string, options: Options = {}): Promise<Response> {
  const { method = 'GET', body, signal } = options;
  const timeout = AbortSignal.timeout(method === 'GET' ? READ_TIMEOUT : WRITE_TIMEOUT);
  try {
    const response = await fetch(`/api${path}`, {
      method,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      cache: 'no-store',
      ...(body !== undefined && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    if (!response.ok) throw await problemFrom(response);
    return response;
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    if (timeout.aborted) throw new Problem('timeout', 'No answer in time.');
    throw new Problem('unreachable', 'No connection.');
  }
}

async function json<T>(path: string, options?: Options): Promise<T> {
  return (await request(path, options).then((response) => response.json())) as T;
}

const walletPath = (id: string) => `/wallets/${encodeURIComponent(id)}`;

export function getWallets(signal?: AbortSignal): Promise<WalletList> {
  return json('/wallets', { signal });
}

export function getWallet(id: string, signal?: AbortSignal): Promise<Wallet> {
  return json(walletPath(id), { signal });
}

/** Creates the wallet, or gives the one there is; `created` tells which. */
export async function putWallet(id: string): Promise<{ wallet: Wallet; created: boolean }> {
  const response = await request(walletPath(id), { method: 'PUT' });
  return { wallet: (await response.json()) as Wallet, created: response.status === 201 };
}

/** `points` is 1 to 500. */
export function getPrice(points: number, signal?: AbortSignal): Promise<PriceHistory> {
  return json(`/price?points=${points}`, { signal });
}

/** `skew` is the server's clock minus this browser's, in milliseconds. */
export async function getInfo(signal?: AbortSignal): Promise<{ info: Info; skew: number }> {
  const response = await request('/info', { signal });
  const date = Date.parse(response.headers.get('Date') ?? '');
  return {
    info: (await response.json()) as Info,
    skew: Number.isNaN(date) ? 0 : date - Date.now(),
  };
}

export async function placeOrder(id: string, order: Order): Promise<Receipt> {
  const path = walletPath(id);
  switch (order.kind) {
    case 'buy':
    case 'sell': {
      const body = { side: order.kind, coins: order.coins };
      return { kind: 'trade', ...(await json<Trade>(`${path}/trades`, { method: 'POST', body })) };
    }
    case 'mine':
      return { kind: 'mine', ...(await json<Mined>(`${path}/mine`, { method: 'POST' })) };
    case 'reset':
      return {
        kind: 'reset',
        wallet: await json<Wallet>(`${path}/reset`, { method: 'POST' }),
      };
  }
}
