import { duration } from '../duration';
import { useNow } from '../exchange/useNow';
import { BackendIcon, BrowserIcon, DatabaseIcon, FrontendIcon, VolumeIcon } from './icons';
import type { Link } from '../api/problem';
import type { State } from '../exchange/state';
import type { ReactNode } from 'react';

type Health = 'answers' | 'silent' | 'hidden';

const CHAIN: Link[] = ['frontend', 'backend', 'database'];

/** A stop behind the broken link cannot be seen from here. */
function health(stop: Link, broken: Link | undefined): Health {
  if (broken === undefined || CHAIN.indexOf(stop) < CHAIN.indexOf(broken)) return 'answers';
  return stop === broken ? 'silent' : 'hidden';
}

const HEALTH_TEXT: Record<Health, string | null> = {
  answers: null,
  silent: 'does not answer',
  hidden: 'cannot be seen from here',
};

function Stop({
  icon,
  kind,
  name,
  health: state = 'answers',
  testId,
  children,
}: {
  icon: ReactNode;
  kind: string;
  name: string;
  health?: Health;
  testId: string;
  children: ReactNode;
}) {
  return (
    <li className={`stop stop-${state}`} data-testid={testId}>
      <span className="stop-icon">{icon}</span>
      <span className="stop-role">{kind}</span>
      <strong className="stop-name">{name}</strong>
      <span className="stop-facts">{HEALTH_TEXT[state] ?? children}</span>
    </li>
  );
}

function Uptime({ startedAt, skew }: { startedAt: string; skew: number }) {
  const now = useNow(1_000);
  return <>{duration(now + skew - Date.parse(startedAt))}</>;
}

function Away({ since, link }: { since: number; link: Link }) {
  const now = useNow(100);
  const name = { frontend: 'exchange', backend: 'backend', database: 'database' }[link];
  return (
    <p className="away" data-testid="away">
      The {name} has been away for{' '}
      <strong className="away-seconds">{duration(now - since, { tenths: true })}</strong>
      <span className="quiet">
        What you see above is the last that was known. The page keeps asking and goes on by itself.
      </span>
    </p>
  );
}

/** The way of a request from this page to the rows on the volume, and what is known of each stop. */
export function DataPanel({ id, state }: { id: string | null; state: State }) {
  const { info, away, skew } = state;
  const database = info?.database;
  const broken = away?.link ?? (info ? undefined : 'frontend');
  return (
    <section className="card data" aria-labelledby="data">
      <h2 id="data">Where your data lives</h2>
      {away && <Away since={away.since} link={away.link} />}
      <ol className="chain">
        <Stop icon={<BrowserIcon />} kind="browser" name="This page" testId="stop-browser">
          {id === null ? 'keeps nothing of value' : 'keeps only your wallet’s name'}
        </Stop>
        <Stop
          icon={<FrontendIcon />}
          kind="frontend"
          name="nginx"
          health={health('frontend', broken)}
          testId="stop-frontend"
        >
          serves the page, passes requests on
        </Stop>
        <Stop
          icon={<BackendIcon />}
          kind="backend"
          name={info?.backend.pod ?? 'Flask'}
          health={health('backend', broken)}
          testId="stop-backend"
        >
          answered last; stores nothing
        </Stop>
        <Stop
          icon={<DatabaseIcon />}
          kind="database"
          name={database?.pod ?? database?.host ?? 'PostgreSQL'}
          health={health('database', broken)}
          testId="stop-database"
        >
          {database && (
            <>
              server started <Uptime startedAt={database.started_at} skew={skew} /> ago
            </>
          )}
        </Stop>
        <Stop icon={<VolumeIcon />} kind="volume" name="Your rows" testId="stop-volume">
          {database && (
            <>
              {broken && 'last seen: '}
              {database.wallets === null
                ? 'no table “wallets”'
                : `${database.wallets} ${database.wallets === 1 ? 'wallet' : 'wallets'}`}
              <br />
              system identifier
              <br />
              <code>{database.system_identifier}</code>
            </>
          )}
        </Stop>
      </ol>
      <p className="lesson">
        The database pod can go: its successor gets the same name and the same volume, and with it
        the same rows. Try it, and watch this page: <code>kubectl delete pod postgres-0</code>
      </p>
    </section>
  );
}
