import { fromDecimal } from '../money';
import type { Order, Wallet } from '../api/types';

/** An order, and the wallet's row as it was known when it was placed. */
export interface Placed {
  order: Order;
  wallet: Wallet | null | undefined;
}

export type Outcome = 'done' | 'not-done' | 'unclear';

/**
 * What became of an order that got no answer, judged by the wallet's row before and after.
 * `unclear`: the row changed, but not in the way this order alone changes it.
 */
export function outcome(order: Order, before: Wallet, after: Wallet): Outcome {
  if (after.updated_at === before.updated_at) return 'not-done';
  const gained = fromDecimal(after.coins) - fromDecimal(before.coins);
  switch (order.kind) {
    case 'buy':
      return gained === fromDecimal(order.coins) ? 'done' : 'unclear';
    case 'sell':
      return gained === -fromDecimal(order.coins) ? 'done' : 'unclear';
    case 'mine':
      return gained === 100n ? 'done' : 'unclear';
    case 'reset':
      return after.balance === '1000.00' && after.coins === '0.00' ? 'done' : 'unclear';
  }
}

export function describe(order: Order): string {
  switch (order.kind) {
    case 'buy':
      return `order to buy ${order.coins} coins`;
    case 'sell':
      return `order to sell ${order.coins} coins`;
    case 'mine':
      return 'request to mine';
    case 'reset':
      return 'request to start over';
  }
}
