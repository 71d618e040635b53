import { explain, type Problem } from '../api/problem';
import type { ReactNode } from 'react';

export function ProblemNotice({ problem, hint }: { problem: Problem; hint?: string | undefined }) {
  const text = explain(problem);
  return (
    <div className="notice notice-bad" role="alert">
      <strong>{text.title}</strong> {hint ?? text.hint}
    </div>
  );
}

/** A place for good news; it is there from the start, so that screen readers hear what comes. */
export function News({ children }: { children: ReactNode }) {
  return (
    <div role="status">{children && <div className="notice notice-good">{children}</div>}</div>
  );
}
