import { CHOOSER } from '../route';
import { ProblemNotice } from './Notice';
import { useAttempt } from './useAttempt';
import type { Exchange } from '../exchange/useExchange';

/** The address names a wallet that has no row. Nothing is created until asked. */
export function NoSuchWallet({ id, create }: { id: string; create: Exchange['create'] }) {
  const { busy, problem, run } = useAttempt();
  return (
    <section className="card chooser" aria-labelledby="no-such-wallet">
      <h2 id="no-such-wallet">
        There is no wallet called <span className="name">{id}</span>
      </h2>
      <p>The database has no such row. A new wallet starts with $1,000.00 and no coins.</p>
      <p className="actions">
        <button
          type="button"
          className="primary"
          disabled={busy}
          onClick={() => void run(() => create(id))}
        >
          Create it
        </button>
        <a href={CHOOSER}>Open another one</a>
      </p>
      {problem && <ProblemNotice problem={problem} />}
    </section>
  );
}
