import { compare, type Report, type Sight } from './report';
import type { Placed } from './order';
import type { Link } from '../api/problem';
import type { Info, Wallet } from '../api/types';

export interface Away {
  /** When the first request that failed was sent. */
  since: number;
  /** When the last failure was heard of. */
  until: number;
  /** What is broken now, and the farthest that was found broken during this gap. */
  link: Link;
  farthest: Link;
  /** What was known before, to compare with. */
  before: Sight | null;
  /** The order that got no answer. */
  order: Placed | null;
}

/** All that the page knows of the exchange. Times are milliseconds of this browser's clock. */
export interface State {
  info: Info | null;
  /** When `info` was heard, and the server's clock minus the browser's. */
  infoAt: number;
  skew: number;
  /** Null: there is no such row. Undefined: not known yet. */
  wallet: Wallet | null | undefined;
  walletAt: number;
  away: Away | null;
  report: Report | null;
}

export type Change =
  /** A poll succeeded; `startedAt` is when it was sent. */
  | { type: 'seen'; startedAt: number; at: number; skew: number; sight: Sight }
  /** A poll or an order got no answer because a link is broken. */
  | { type: 'missed'; startedAt: number; at: number; link: Link; order?: Placed }
  /** The server answered with the wallet as it is now. */
  | { type: 'wallet'; at: number; wallet: Wallet }
  /** The address names another wallet. */
  | { type: 'switched' }
  | { type: 'dismissed' };

export const initialState: State = {
  info: null,
  infoAt: 0,
  skew: 0,
  wallet: undefined,
  walletAt: 0,
  away: null,
  report: null,
};

const DISTANCE: Record<Link, number> = { frontend: 0, backend: 1, database: 2 };

function seen(state: State, change: Extract<Change, { type: 'seen' }>): State {
  const { away } = state;
  const { startedAt, at, skew, sight } = change;
  // Sent before the last failure: it says nothing about now.
  if (away && startedAt < away.until) return state;

  // Sent before the wallet was last heard of: its row may be older.
  const wallet =
    sight.wallet === undefined || startedAt < state.walletAt ? state.wallet : sight.wallet;
  const before = away?.before ?? (state.info && { info: state.info, wallet: state.wallet });
  const replaced =
    before !== null &&
    (before.info.database.started_at !== sight.info.database.started_at ||
      before.info.database.system_identifier !== sight.info.database.system_identifier);
  const report =
    before && (away || replaced)
      ? compare(before, sight, {
          gap: away
            ? { milliseconds: at - away.since, noticed: true }
            : { milliseconds: at - state.infoAt, noticed: false },
          link: away?.farthest ?? 'database',
          order: away?.order ?? null,
          serverTime: at + skew,
        })
      : state.report;
  return { ...state, info: sight.info, infoAt: at, skew, wallet, away: null, report };
}

function missed(state: State, change: Extract<Change, { type: 'missed' }>): State {
  const { away } = state;
  const { startedAt, at, link, order } = change;
  if (!away) {
    // A slow failure of the past says nothing about now, unless it is an order's.
    if (startedAt < state.infoAt && !order) return state;
    const before = state.info && { info: state.info, wallet: state.wallet };
    return {
      ...state,
      // That of the gap before says that all is back.
      report: null,
      away: { since: startedAt, until: at, link, farthest: link, before, order: order ?? null },
    };
  }
  const farthest = DISTANCE[link] > DISTANCE[away.farthest] ? link : away.farthest;
  return {
    ...state,
    away: { ...away, until: at, link, farthest, order: order ?? away.order },
  };
}

/** Folds what happened into what is known. Pure: the clock comes with each change. */
export function step(state: State, change: Change): State {
  switch (change.type) {
    case 'seen':
      return seen(state, change);
    case 'missed':
      return missed(state, change);
    case 'wallet':
      return { ...state, wallet: change.wallet, walletAt: change.at };
    case 'switched':
      return {
        ...state,
        wallet: undefined,
        report: null,
        away: state.away && {
          ...state.away,
          before: state.away.before && { ...state.away.before, wallet: undefined },
          order: null,
        },
      };
    case 'dismissed':
      return { ...state, report: null };
  }
}
