import { duration } from '../duration';
import { useNow } from '../exchange/useNow';
import { CHOOSER, navigate } from '../route';
import { Logo } from './icons';
import type { Link } from '../api/problem';
import type { Away } from '../exchange/state';

const NAMES: Record<Link, string> = {
  frontend: 'Exchange',
  backend: 'Backend',
  database: 'Database',
};

function Seconds({ since }: { since: number }) {
  return <span role="timer">{duration(useNow(250) - since)}</span>;
}

/** How the way to the data is. Said to screen readers once, without the running seconds. */
function Status({ away, connected }: { away: Away | null; connected: boolean }) {
  const name = away && NAMES[away.link];
  return (
    <div className={`status ${away ? 'status-away' : ''}`}>
      <span className="dot" aria-hidden="true" />
      <span role="status">{name ? `${name} away` : connected ? 'Connected' : 'Connecting'}</span>
      {away && <Seconds since={away.since} />}
    </div>
  );
}

export function Header({
  id,
  away,
  connected,
}: {
  id: string | null;
  away: Away | null;
  connected: boolean;
}) {
  return (
    <header className="top">
      <div className="top-inner">
        <h1>
          <Logo /> <span className="brand">KubeCoin</span> <span className="quiet">exchange</span>
        </h1>
        <Status away={away} connected={connected} />
        {id !== null && (
          <a
            className="switch"
            href={CHOOSER}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              navigate(CHOOSER);
            }}
          >
            Switch<span className="visually-hidden"> wallet</span>
          </a>
        )}
      </div>
    </header>
  );
}
