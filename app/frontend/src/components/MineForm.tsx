import { OrderOutcome } from './OrderOutcome';
import { useAttempt } from './useAttempt';
import type { Mined, Receipt, Wallet } from '../api/types';
import type { Exchange } from '../exchange/useExchange';

/** What was found, and how to check it without trusting the exchange. */
function Proof({ id, mined }: { id: string; mined: Mined }) {
  const zeros = /^0*/.exec(mined.hash)?.[0].length ?? 0;
  return (
    <>
      <strong>One coin mined.</strong>
      <dl className="proof">
        <dt>Nonce</dt>
        <dd data-testid="nonce">{mined.nonce}</dd>
        <dt>SHA-256</dt>
        <dd data-testid="hash">
          <mark>{mined.hash.slice(0, zeros)}</mark>
          {mined.hash.slice(zeros)}
        </dd>
        <dt>Check it yourself</dt>
        <dd>
          <code>
            printf %s '{id}:{mined.nonce}' | sha256sum
          </code>
        </dd>
      </dl>
    </>
  );
}

export function MineForm({ wallet, order }: { wallet: Wallet; order: Exchange['order'] }) {
  const attempt = useAttempt<Receipt>();
  return (
    <>
      <p className="hint">
        The backend looks for a number whose SHA-256, together with your wallet’s name, starts with
        four zeros. Each one found is worth a coin.
      </p>
      <button
        type="button"
        className="primary"
        disabled={attempt.busy}
        onClick={() => void attempt.run(() => order({ kind: 'mine' }))}
      >
        {attempt.busy ? 'Mining…' : 'Mine one coin'}
      </button>
      <OrderOutcome attempt={attempt}>
        {(receipt) => receipt.kind === 'mine' && <Proof id={wallet.id} mined={receipt} />}
      </OrderOutcome>
    </>
  );
}
