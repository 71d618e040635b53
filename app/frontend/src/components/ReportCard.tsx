import { duration } from '../duration';
import { describe } from '../exchange/order';
import { fewerWallets, lost, sameData, type Report } from '../exchange/report';
import { dollars, grouped } from '../money';
import type { Wallet } from '../api/types';
import type { ReactNode } from 'react';

type Tone = 'good' | 'bad' | 'plain';
const MARKS: Record<Tone, string> = { good: '✓', bad: '!', plain: '→' };

function Line({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <li className={`line-${tone}`}>
      <span className="mark" aria-hidden="true">
        {MARKS[tone]}
      </span>
      <span>{children}</span>
    </li>
  );
}

function headline({ gap, link, restarted }: Report): string {
  const length = duration(gap.milliseconds, { tenths: true });
  if (!gap.noticed) {
    return `The database server was replaced within the last ${length}, between two checks of this page`;
  }
  const names = { frontend: 'exchange', backend: 'backend', database: 'database' };
  // A restart explains the gap, whichever link this page saw break.
  return `The ${restarted ? 'database' : names[link]} was away for ${length} and is back`;
}

const holdings = (wallet: Wallet) =>
  `${dollars(wallet.balance)} and ${grouped(wallet.coins)} coins`;

function WalletLine({ report, wallet }: { report: Report; wallet: Wallet | null }) {
  switch (report.wallet) {
    case 'same':
      return (
        <Line tone="good">
          <strong>Your wallet is the same row</strong>
          {report.walletBefore &&
            `: ${holdings(report.walletBefore)}, and the same time of its last change.`}
        </Line>
      );
    case 'changed':
      return (
        <Line tone="plain">
          <strong>Your wallet has changed meanwhile.</strong> It had{' '}
          {report.walletBefore && holdings(report.walletBefore)}
          {wallet && `, and has ${holdings(wallet)}`}.
        </Line>
      );
    case 'older':
      return (
        <Line tone="bad">
          <strong>Your wallet went back to an older state.</strong> It had{' '}
          {report.walletBefore && holdings(report.walletBefore)}
          {wallet && `, and has ${holdings(wallet)}`}.
        </Line>
      );
    case 'gone':
      return (
        <Line tone="bad">
          <strong>Your wallet is gone.</strong> It had{' '}
          {report.walletBefore && holdings(report.walletBefore)}.
        </Line>
      );
    case 'unknown':
      return null;
  }
}

function DataLine({ report }: { report: Report }) {
  const { before, after } = report.identifier;
  return sameData(report) ? (
    <Line tone="good">
      <strong>The data is the same</strong>: system identifier <code>{after}</code>, as before.
    </Line>
  ) : (
    <Line tone="bad">
      <strong>This is another database</strong>: system identifier <code>{after}</code>, before it
      was <code>{before}</code>.
    </Line>
  );
}

function CountLine({ report }: { report: Report }) {
  const { before, after } = report.wallets;
  if (after === null) {
    return (
      <Line tone={before === null ? 'plain' : 'bad'}>
        <strong>It has no table “wallets”.</strong>
      </Line>
    );
  }
  const wallets = after === 1 ? '1 wallet' : `${after} wallets`;
  if (before === after) {
    return (
      <Line tone="good">
        <strong>{wallets}</strong>, as before.
      </Line>
    );
  }
  return (
    <Line tone={fewerWallets(report) ? 'bad' : 'plain'}>
      <strong>{wallets}</strong>, before {before ?? 'none'}.
    </Line>
  );
}

function ServerLine({ report }: { report: Report }) {
  return report.restarted ? (
    <Line tone="plain">
      <strong>The server is a new one</strong>, started{' '}
      {report.serverAge < 2_000 ? 'just' : duration(report.serverAge)} before it answered.
    </Line>
  ) : (
    <Line tone="plain">
      <strong>The server did not restart</strong>: only the connection to it was lost.
    </Line>
  );
}

function OrderLine({ order }: { order: Report['order'] }) {
  if (!order) return null;
  const what = describe(order.order);
  switch (order.outcome) {
    case 'done':
      return (
        <Line tone="good">
          <strong>Your {what} was carried out</strong>, although no answer came.
        </Line>
      );
    case 'not-done':
      return (
        <Line tone="plain">
          <strong>Your {what} was not carried out.</strong> Place it again if you still want it.
        </Line>
      );
    case 'unclear':
      return (
        <Line tone="bad">
          <strong>Your {what} got no answer</strong>, and the wallet changed in another way too:
          check your balance.
        </Line>
      );
  }
}

/** What a gap did, after it: how long it was, and what of before is still there. */
export function ReportCard({
  report,
  wallet,
  onDismiss,
}: {
  report: Report;
  wallet: Wallet | null;
  onDismiss: () => void;
}) {
  const bad = lost(report);
  return (
    <section
      className={`card report ${bad ? 'report-bad' : 'report-good'}`}
      aria-labelledby="report"
    >
      <div className="report-head">
        <h2 id="report">{headline(report)}</h2>
        <button type="button" className="plain" onClick={onDismiss}>
          Dismiss
        </button>
      </div>
      <p className="verdict">{bad ? 'Data was lost.' : 'Nothing was lost.'}</p>
      <ul>
        <WalletLine report={report} wallet={wallet} />
        <DataLine report={report} />
        <CountLine report={report} />
        <ServerLine report={report} />
        <OrderLine order={report.order} />
      </ul>
    </section>
  );
}
