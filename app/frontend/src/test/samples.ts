import type { Info, PriceHistory, Wallet } from '../api/types';

export function wallet(changes: Partial<Wallet> = {}): Wallet {
  return {
    id: 'anna',
    balance: '1000.00',
    coins: '0.00',
    created_at: '2026-11-23T20:00:00.123456Z',
    updated_at: '2026-11-23T20:00:00.123456Z',
    ...changes,
  };
}

export function info(changes: Partial<Info['database']> = {}): Info {
  return {
    backend: { pod: 'backend-abc' },
    database: {
      host: 'postgres-headless',
      pod: 'postgres-0',
      started_at: '2026-11-23T19:00:00Z',
      system_identifier: '7431',
      wallets: 3,
      wallets_table: true,
      ...changes,
    },
  };
}

export const price: PriceHistory = {
  price: '101.23',
  at: '2026-11-23T20:00:02Z',
  interval: 2,
  points: [
    { at: '2026-11-23T20:00:00Z', price: '100.00' },
    { at: '2026-11-23T20:00:02Z', price: '101.23' },
  ],
};
