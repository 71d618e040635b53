import { useEffect, useState, type SubmitEvent } from 'react';
import { getWallet, getWallets } from '../api/client';
import { Problem } from '../api/problem';
import { navigate, walletAddress } from '../route';
import { isWalletId, rememberedWallet, suggestWalletId } from '../walletId';
import { ProblemNotice } from './Notice';
import { useAttempt } from './useAttempt';
import type { Exchange } from '../exchange/useExchange';

/** The wallets that changed last, asked for again whenever their number changes. */
function useRecent(count: number | null): string[] {
  const [recent, setRecent] = useState<string[]>([]);
  useEffect(() => {
    const controller = new AbortController();
    getWallets(controller.signal)
      .then((list) => {
        setRecent(list.recent);
      })
      .catch(() => {
        // Only a convenience: a wallet can be opened by its name.
      });
    return () => {
      controller.abort();
    };
  }, [count]);
  return recent.filter(isWalletId);
}

function headline(count: number | null, remembered: string | null): string {
  if (remembered !== null) return 'Open another wallet';
  return `This browser has no wallet yet, the database has ${count || 'none either'}`;
}

function requireWalletId(id: string): void {
  if (!isWalletId(id)) throw new Problem('invalid-wallet-id', id);
}

interface NameFormProps {
  label: string;
  hint: string;
  button: string;
  primary?: boolean;
  suggestion?: string;
  act: (id: string) => Promise<void>;
}

function NameForm({ label, hint, button, primary = false, suggestion = '', act }: NameFormProps) {
  const [name, setName] = useState(suggestion);
  const { busy, problem, run } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const id = name.trim();
    void run(async () => {
      requireWalletId(id);
      await act(id);
    });
  };
  return (
    <form onSubmit={submit} noValidate>
      <label>
        {label}
        <input
          value={name}
          maxLength={64}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
      </label>
      <p className="hint">{hint}</p>
      <button type="submit" className={primary ? 'primary' : ''} disabled={busy}>
        {button}
      </button>
      {problem && <ProblemNotice problem={problem} />}
    </form>
  );
}

/** Where a browser without a wallet creates one or opens one of its own. */
export function Chooser({
  count,
  invalid,
  create,
}: {
  count: number | null;
  invalid: string | null;
  create: Exchange['create'];
}) {
  const recent = useRecent(count);
  const [remembered] = useState(rememberedWallet);
  const [suggestion] = useState(suggestWalletId);
  const open = (id: string) => {
    navigate(walletAddress(id));
  };

  return (
    <section className="card chooser" aria-labelledby="chooser">
      <h2 id="chooser">{headline(count, remembered)}</h2>
      {invalid !== null && (
        <p className="notice notice-bad" role="alert">
          <strong>“{invalid}” cannot be the name of a wallet.</strong> Use 1 to 64 letters, digits,
          dots, dashes or underscores.
        </p>
      )}
      <p className="lead">
        A wallet is one row in the database, and starts with $1,000.00. Its name is in the address
        of the page, so you find it again from any browser.
        {remembered !== null && (
          <>
            {' '}
            Yours here was <a href={walletAddress(remembered)}>{remembered}</a>.
          </>
        )}
      </p>
      <div className="forms">
        <NameForm
          label="Name of your new wallet"
          hint="Keep this one or type your own."
          button="Create wallet"
          primary
          suggestion={suggestion}
          act={async (id) => {
            const { created } = await create(id);
            if (!created) throw new Problem('wallet-exists', id);
            open(id);
          }}
        />
        <NameForm
          label="Name of an existing wallet"
          hint="Yours from another browser, for example."
          button="Open wallet"
          act={async (id) => {
            await getWallet(id);
            open(id);
          }}
        />
      </div>
      {recent.length > 0 && (
        <div className="recent">
          <h3>Changed last</h3>
          <ul>
            {recent.map((id) => (
              <li key={id}>
                <a href={walletAddress(id)}>{id}</a>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
