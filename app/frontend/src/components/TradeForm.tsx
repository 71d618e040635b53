import { useState, type SubmitEvent } from 'react';
import { Problem } from '../api/problem';
import { affordable, cost, dollars, fromDecimal, grouped, parse, toDecimal } from '../money';
import { OrderOutcome } from './OrderOutcome';
import { useAttempt } from './useAttempt';
import type { Decimal, Receipt, Trade, Wallet } from '../api/types';
import type { Exchange } from '../exchange/useExchange';

export type Side = Trade['side'];
const LABELS: Record<Side, string> = { buy: 'Buy', sell: 'Sell' };

function most(side: Side, wallet: Wallet, price: Decimal): Decimal {
  return side === 'sell'
    ? wallet.coins
    : toDecimal(affordable(fromDecimal(wallet.balance), fromDecimal(price)));
}

function Estimate({
  side,
  coins,
  price,
}: {
  side: Side;
  coins: bigint | null;
  price: Decimal | null;
}) {
  if (!coins || price === null) {
    return <p className="hint">The price at the moment of the trade counts.</p>;
  }
  return (
    <p className="hint">
      {side === 'buy' ? 'Costs' : 'Brings'} about{' '}
      <strong data-testid="estimate">{dollars(toDecimal(cost(coins, fromDecimal(price))))}</strong>{' '}
      at {dollars(price)} a coin; the price at the moment of the trade counts.
    </p>
  );
}

function TradeReceipt({ receipt }: { receipt: Receipt }) {
  if (receipt.kind !== 'trade') return null;
  return (
    <>
      <strong>
        {receipt.side === 'buy' ? 'Bought' : 'Sold'} {grouped(receipt.coins)} coins
      </strong>{' '}
      for {dollars(receipt.amount)}, at {dollars(receipt.price)} a coin.
    </>
  );
}

export function TradeForm({
  side,
  wallet,
  price,
  order,
}: {
  side: Side;
  wallet: Wallet;
  price: Decimal | null;
  order: Exchange['order'];
}) {
  const [amount, setAmount] = useState('');
  const attempt = useAttempt<Receipt>();
  const coins = parse(amount);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void attempt.run(async () => {
      if (!coins) throw new Problem('invalid-amount', amount);
      const receipt = await order({ kind: side, coins: toDecimal(coins) });
      setAmount('');
      return receipt;
    });
  };

  return (
    <>
      <form onSubmit={submit} noValidate>
        <label htmlFor="coins">Coins</label>
        <div className="amount">
          <input
            id="coins"
            value={amount}
            inputMode="decimal"
            placeholder="0.00"
            autoComplete="off"
            maxLength={16}
            onChange={(event) => {
              setAmount(event.target.value);
            }}
          />
          <button
            type="button"
            disabled={price === null}
            onClick={() => {
              if (price !== null) setAmount(most(side, wallet, price));
            }}
          >
            Max
          </button>
        </div>
        <Estimate side={side} coins={coins} price={price} />
        <button type="submit" className="primary wide" disabled={attempt.busy}>
          {LABELS[side]} {coins ? `${grouped(toDecimal(coins))} coins` : 'coins'}
        </button>
      </form>
      <OrderOutcome attempt={attempt}>
        {(receipt) => <TradeReceipt receipt={receipt} />}
      </OrderOutcome>
    </>
  );
}
