import { outcome, type Outcome, type Placed } from './order';
import type { Link } from '../api/problem';
import type { Info, Order, Wallet } from '../api/types';

/** What the page knew at one moment. `wallet`: null when it has no row, undefined when not asked. */
export interface Sight {
  info: Info;
  wallet: Wallet | null | undefined;
}

/** How long nothing answered. A restart between two good answers leaves only an upper bound. */
export interface Gap {
  milliseconds: number;
  noticed: boolean;
}

/** `older`: the row went back to an earlier change of it, as after a restored copy. */
export type Fate = 'same' | 'changed' | 'older' | 'gone' | 'unknown';

/** What a gap did, found by comparing what was there before and after it. */
export interface Report {
  gap: Gap;
  /** The broken link farthest from the browser. */
  link: Link;
  /** The server process is a new one. */
  restarted: boolean;
  /** How long the server had been running when it answered, in milliseconds. */
  serverAge: number;
  /** PostgreSQL's system identifier: equal means that the data directory is the one of before. */
  identifier: { before: string; after: string };
  wallet: Fate;
  /** The row of before, for when it is gone. */
  walletBefore: Wallet | null;
  wallets: { before: number | null; after: number | null };
  /** An order that got no answer, and what became of it. */
  order: { order: Order; outcome: Outcome } | null;
}

function fate(before: Wallet | null | undefined, after: Wallet | null | undefined): Fate {
  if (!before) return 'unknown';
  if (!after) return 'gone';
  const same =
    before.balance === after.balance &&
    before.coins === after.coins &&
    before.created_at === after.created_at &&
    before.updated_at === after.updated_at;
  if (same) return 'same';
  return Date.parse(after.updated_at) < Date.parse(before.updated_at) ? 'older' : 'changed';
}

export function compare(
  before: Sight,
  after: Sight,
  circumstances: { gap: Gap; link: Link; order: Placed | null; serverTime: number },
): Report {
  const { gap, link, order, serverTime } = circumstances;
  return {
    gap,
    link,
    restarted: before.info.database.started_at !== after.info.database.started_at,
    serverAge: serverTime - Date.parse(after.info.database.started_at),
    identifier: {
      before: before.info.database.system_identifier,
      after: after.info.database.system_identifier,
    },
    wallet: fate(before.wallet, after.wallet),
    walletBefore: before.wallet ?? null,
    wallets: { before: before.info.database.wallets, after: after.info.database.wallets },
    // A poll may have read the row between the order's commit and its failure: that is not the row of before the order.
    order:
      order?.wallet && after.wallet
        ? { order: order.order, outcome: outcome(order.order, order.wallet, after.wallet) }
        : null,
  };
}

export const sameData = ({ identifier }: Report) => identifier.before === identifier.after;

/** Whether fewer wallets are there than before; a missing table has none. */
export const fewerWallets = ({ wallets }: Report) => (wallets.after ?? 0) < (wallets.before ?? 0);

/** Whether anything that was there before is missing now. */
export function lost(report: Report): boolean {
  return (
    !sameData(report) ||
    report.wallet === 'gone' ||
    report.wallet === 'older' ||
    fewerWallets(report)
  );
}
