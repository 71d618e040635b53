import { useEffect } from 'react';
import { Chooser } from './components/Chooser';
import { DataPanel } from './components/DataPanel';
import { Header } from './components/Header';
import { NoSuchWallet } from './components/NoSuchWallet';
import { ReportCard } from './components/ReportCard';
import { TableMissing } from './components/TableMissing';
import { Waiting } from './components/Waiting';
import { WalletView } from './components/WalletView';
import { useExchange, type Exchange } from './exchange/useExchange';
import { useRoute } from './route';
import { rememberWallet } from './walletId';

function Content({
  id,
  invalid,
  exchange,
}: {
  id: string | null;
  invalid: string | null;
  exchange: Exchange;
}) {
  const { info, wallet } = exchange.state;
  if (!info) return <Waiting />;
  if (!info.database.wallets_table) return <TableMissing />;
  if (id === null) {
    return <Chooser count={info.database.wallets} invalid={invalid} create={exchange.create} />;
  }
  if (wallet === undefined) return <Waiting />;
  if (wallet === null) return <NoSuchWallet key={id} id={id} create={exchange.create} />;
  return <WalletView key={id} wallet={wallet} order={exchange.order} />;
}

export function App() {
  const { wallet: id, invalid } = useRoute();
  const exchange = useExchange(id);
  const { state } = exchange;

  const exists = Boolean(state.wallet);
  useEffect(() => {
    document.title = id === null ? 'KubeCoin exchange' : `${id} · KubeCoin exchange`;
    if (id !== null && exists) rememberWallet(id);
  }, [id, exists]);

  return (
    <>
      <Header id={id} away={state.away} connected={state.info !== null} />
      <main>
        <div aria-live="polite">
          {state.report && (
            <ReportCard
              report={state.report}
              wallet={state.wallet ?? null}
              onDismiss={exchange.dismissReport}
            />
          )}
        </div>
        <Content id={id} invalid={invalid} exchange={exchange} />
        <DataPanel id={id} state={state} />
      </main>
    </>
  );
}
