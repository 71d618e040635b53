import { lazy, Suspense } from 'react';
import { usePrice } from '../exchange/usePrice';
import { cost, dollars, fromDecimal, grouped, toDecimal } from '../money';
import { OrderCard } from './OrderCard';
import { ResetButton } from './ResetButton';
import type { Wallet } from '../api/types';
import type { Exchange } from '../exchange/useExchange';

// The chart library is half of the page's code: the wallet does not wait for it.
const PriceChart = lazy(() => import('./PriceChart'));

function worth(wallet: Wallet, price: string): string {
  const coins = cost(fromDecimal(wallet.coins), fromDecimal(price));
  return toDecimal(fromDecimal(wallet.balance) + coins);
}

export function WalletView({ wallet, order }: { wallet: Wallet; order: Exchange['order'] }) {
  const history = usePrice();
  return (
    <div className="exchange">
      <section className="card wallet" aria-labelledby="wallet">
        <div className="wallet-head">
          <h2 id="wallet">
            Wallet <span className="name">{wallet.id}</span>
          </h2>
          <ResetButton order={order} />
        </div>
        <dl className="figures">
          <div className="figure-main">
            <dt>Worth now</dt>
            <dd data-testid="worth">{history ? dollars(worth(wallet, history.price)) : '…'}</dd>
          </div>
          <div>
            <dt>Balance</dt>
            <dd data-testid="balance">{dollars(wallet.balance)}</dd>
          </div>
          <div>
            <dt>Coins</dt>
            <dd data-testid="coins">{grouped(wallet.coins)}</dd>
          </div>
        </dl>
        <Suspense fallback={<div className="chart" />}>
          {history ? <PriceChart history={history} /> : <div className="chart" />}
        </Suspense>
      </section>
      <OrderCard wallet={wallet} price={history?.price ?? null} order={order} />
    </div>
  );
}
