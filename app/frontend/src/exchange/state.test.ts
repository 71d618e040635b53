import { describe, expect, it } from 'vitest';
import { lost } from './report';
import { initialState, step, type Change, type State } from './state';
import { info, wallet } from '../test/samples';
import type { Sight } from './report';
import type { Info, Order, Wallet } from '../api/types';

const seen = (at: number, sight: Partial<Sight> = {}, startedAt = at): Change => ({
  type: 'seen',
  startedAt,
  at,
  skew: 0,
  sight: { info: info(), wallet: wallet(), ...sight },
});
const missed = (at: number, more: Partial<Extract<Change, { type: 'missed' }>> = {}): Change => ({
  type: 'missed',
  startedAt: at,
  at,
  link: 'database',
  ...more,
});
const play = (...changes: Change[]): State => changes.reduce(step, initialState);
const report = (...changes: Change[]) => {
  const { report } = play(...changes);
  if (!report) throw new Error('no report');
  return report;
};

const NEW_START = { started_at: '2026-11-23T20:00:10Z' };
const after = (database: Partial<Info['database']>, row: Wallet | null | undefined = wallet()) => ({
  info: info({ ...NEW_START, ...database }),
  wallet: row,
});

describe('a gap', () => {
  it('begins when the first failed request was sent and keeps what was known', () => {
    const state = play(seen(1000), missed(5000, { startedAt: 3000 }), missed(5500));
    expect(state.away).toMatchObject({ since: 3000, until: 5500, link: 'database' });
    expect(state.wallet).toEqual(wallet());
    expect(state.report).toBeNull();
  });

  it('takes away the report of the gap before', () => {
    expect(play(seen(1000), missed(2000), seen(3000), missed(5000)).report).toBeNull();
  });

  it('ends with a report of its length and of what is the same', () => {
    const found = report(seen(1000), missed(3000), seen(7000, after({})));
    expect(found).toMatchObject({
      gap: { milliseconds: 4000, noticed: true },
      link: 'database',
      restarted: true,
      wallet: 'same',
      wallets: { before: 3, after: 3 },
      order: null,
    });
    expect(lost(found)).toBe(false);
  });

  it('without a restart says so', () => {
    expect(report(seen(1000), missed(2000), seen(3000)).restarted).toBe(false);
  });

  it('names the farthest link that was broken', () => {
    const found = report(
      seen(1000),
      missed(2000, { link: 'database' }),
      missed(3000, { link: 'backend' }),
      seen(4000),
    );
    expect(found.link).toBe('database');
  });

  it('is not ended by an answer to a question from before it', () => {
    const state = play(seen(1000), missed(5000), seen(5100, {}, 4900));
    expect(state.away).not.toBeNull();
  });

  it('is not begun by a late failure of a question from before the last answer', () => {
    expect(play(seen(5000), missed(5100, { startedAt: 4000 })).away).toBeNull();
  });

  it('at the very start has nothing to compare', () => {
    const state = play(missed(1000), seen(2000));
    expect(state.away).toBeNull();
    expect(state.report).toBeNull();
  });

  it('that no poll fell into is found by the start of the server', () => {
    expect(report(seen(1000), seen(3000, after({}))).gap).toEqual({
      milliseconds: 2000,
      noticed: false,
    });
  });

  it('is over once dismissed', () => {
    expect(play(seen(1), missed(2), seen(3), { type: 'dismissed' }).report).toBeNull();
  });
});

describe('loss is told', () => {
  it.each([
    ['another database', after({ system_identifier: '9999' })],
    ['the row gone', after({}, null)],
    ['fewer wallets', after({ wallets: 2 })],
    ['the table gone', after({ wallets: null, wallets_table: false }, undefined)],
    ['an older row', after({}, wallet({ updated_at: '2026-11-23T19:59:00Z' }))],
  ])('%s', (_, sight) => {
    expect(lost(report(seen(1000), missed(2000), seen(3000, sight)))).toBe(true);
  });

  it('but not when others went on trading', () => {
    const row = wallet({ balance: '900.00', updated_at: '2026-11-23T20:01:00Z' });
    const found = report(seen(1000), missed(2000), seen(3000, after({ wallets: 4 }, row)));
    expect(found.wallet).toBe('changed');
    expect(lost(found)).toBe(false);
  });
});

describe('an order without an answer', () => {
  const buy: Order = { kind: 'buy', coins: '1.50' };
  const later = '2026-11-23T20:01:00Z';
  const placed = (order: Order) => ({ order, wallet: wallet() });
  const outcome = (order: Order, row: Wallet) =>
    report(
      seen(1000),
      missed(2000, { order: placed(order) }),
      missed(2500),
      seen(3000, after({}, row)),
    ).order?.outcome;

  it('was carried out if the row shows it', () => {
    expect(outcome(buy, wallet({ coins: '1.50', updated_at: later }))).toBe('done');
    expect(outcome({ kind: 'mine' }, wallet({ coins: '1.00', updated_at: later }))).toBe('done');
    expect(outcome({ kind: 'reset' }, wallet({ updated_at: later }))).toBe('done');
  });

  it('was not if the row is untouched', () => {
    expect(outcome(buy, wallet())).toBe('not-done');
    expect(outcome({ kind: 'reset' }, wallet())).toBe('not-done');
  });

  it('was carried out if a poll read its row before it failed', () => {
    const traded = wallet({ coins: '1.50', updated_at: later });
    const failed = missed(2500, { startedAt: 1500, order: placed(buy) });
    const found = report(
      seen(1000),
      seen(2000, { wallet: traded }),
      failed,
      seen(3000, { wallet: traded }),
    );
    expect(found).toMatchObject({ wallet: 'same', order: { order: buy, outcome: 'done' } });
  });

  it('is unclear if the row changed in another way', () => {
    expect(outcome(buy, wallet({ coins: '7.00', updated_at: later }))).toBe('unclear');
    expect(outcome({ kind: 'sell', coins: '1.00' }, wallet({ updated_at: later }))).toBe('unclear');
  });
});

describe('the wallet', () => {
  const traded = wallet({ coins: '1.50' });

  it('does not fall back to a poll that was sent before an order was answered', () => {
    const state = play(
      seen(1000),
      { type: 'wallet', at: 2000, wallet: traded },
      seen(2100, {}, 1900),
    );
    expect(state.wallet).toEqual(traded);
    expect(step(state, seen(4000, {}, 3900)).wallet).toEqual(wallet());
  });

  it('stays while the table is missing', () => {
    const state = play(
      seen(1000),
      seen(2000, { info: info({ wallets_table: false }), wallet: undefined }),
    );
    expect(state.wallet).toEqual(wallet());
  });

  it('of another address starts unknown, and is never compared with the one before', () => {
    const mine: Order = { kind: 'mine' };
    const found = report(
      seen(1000),
      missed(2000, { order: { order: mine, wallet: wallet() } }),
      { type: 'switched' },
      seen(3000, after({})),
    );
    expect(found).toMatchObject({ wallet: 'unknown', order: null, restarted: true });
    expect(play(seen(1000), { type: 'switched' }).wallet).toBeUndefined();
  });
});
