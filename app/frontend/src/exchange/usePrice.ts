import { useState } from 'react';
import { getPrice } from '../api/client';
import { usePolling } from './usePolling';
import type { PriceHistory } from '../api/types';

/** Two minutes at the server's interval of 2 s. */
const POINTS = 60;

/** The price and its recent past; the last known while nothing answers. Needs no database. */
export function usePrice(): PriceHistory | null {
  const [history, setHistory] = useState<PriceHistory | null>(null);
  usePolling(
    async (signal) => {
      try {
        const latest = await getPrice(POINTS, signal);
        if (!signal.aborted) setHistory(latest);
      } catch {
        // The poll of the exchange tells what is broken.
      }
    },
    (history?.interval ?? 2) * 1000,
  );
  return history;
}
