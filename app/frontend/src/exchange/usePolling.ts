import { useEffect, useEffectEvent } from 'react';

/**
 * Polls again `delay` milliseconds after each answer, and at once when the delay or `key` changes.
 * Rests while the tab is hidden. The signal aborts when the answer is no longer wanted; `poll` must
 * not throw.
 */
export function usePolling(
  poll: (signal: AbortSignal) => Promise<void>,
  delay: number,
  key: string | null = null,
): void {
  const onPoll = useEffectEvent(poll);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let polling = false;

    async function next(): Promise<void> {
      clearTimeout(timer);
      if (polling || document.hidden) return;
      polling = true;
      await onPoll(signal);
      polling = false;
      if (!signal.aborted) timer = setTimeout(() => void next(), delay);
    }
    const onVisibility = () => void next();

    document.addEventListener('visibilitychange', onVisibility);
    void next();
    return () => {
      document.removeEventListener('visibilitychange', onVisibility);
      clearTimeout(timer);
      controller.abort();
    };
  }, [delay, key]);
}
