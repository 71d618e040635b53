import { useState } from 'react';
import { Problem } from '../api/problem';

export interface Attempt<T> {
  busy: boolean;
  result: T | null;
  problem: Problem | null;
  /** Runs what may throw a `Problem`; one at a time. */
  run: (action: () => Promise<T>) => Promise<void>;
}

/** One action of the user at a time, and how the last one ended. */
export function useAttempt<T>(): Attempt<T> {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  return {
    busy,
    result,
    problem,
    async run(action) {
      if (busy) return;
      setBusy(true);
      setProblem(null);
      setResult(null);
      try {
        setResult(await action());
      } catch (error) {
        setProblem(error instanceof Problem ? error : new Problem('unexpected', String(error)));
      } finally {
        setBusy(false);
      }
    },
  };
}
