import { useRef } from 'react';
import { OrderOutcome } from './OrderOutcome';
import { useAttempt } from './useAttempt';
import type { Receipt } from '../api/types';
import type { Exchange } from '../exchange/useExchange';

export function ResetButton({ order }: { order: Exchange['order'] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const attempt = useAttempt<Receipt>();
  const close = () => dialog.current?.close();
  return (
    <div className="reset">
      <button
        type="button"
        className="plain"
        disabled={attempt.busy}
        onClick={() => dialog.current?.showModal()}
      >
        Start over
      </button>
      <dialog ref={dialog} aria-labelledby="reset">
        <h2 id="reset">Start over?</h2>
        <p>The wallet goes back to $1,000.00 and no coins. This cannot be undone.</p>
        <div className="actions">
          <button
            type="button"
            className="danger"
            onClick={() => {
              close();
              void attempt.run(() => order({ kind: 'reset' }));
            }}
          >
            Start over
          </button>
          <button type="button" onClick={close}>
            Keep it
          </button>
        </div>
      </dialog>
      <OrderOutcome attempt={attempt}>
        {() => <strong>The wallet starts over.</strong>}
      </OrderOutcome>
    </div>
  );
}
