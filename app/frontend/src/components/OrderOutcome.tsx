import { brokenLink } from '../api/problem';
import { News, ProblemNotice } from './Notice';
import type { Attempt } from './useAttempt';
import type { Receipt } from '../api/types';
import type { ReactNode } from 'react';

/** How an order ended: what it brought, why it was refused, or that nobody knows yet. */
export function OrderOutcome({
  attempt: { problem, result },
  children,
}: {
  attempt: Attempt<Receipt>;
  children: (receipt: Receipt) => ReactNode;
}) {
  return (
    <>
      <News>{result && children(result)}</News>
      {problem && (
        <ProblemNotice
          problem={problem}
          hint={
            brokenLink(problem) === null
              ? undefined
              : 'It may or may not have been carried out: the page finds out and says so.'
          }
        />
      )}
    </>
  );
}
