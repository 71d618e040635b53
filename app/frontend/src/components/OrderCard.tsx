import { useState } from 'react';
import { MineForm } from './MineForm';
import { TradeForm, type Side } from './TradeForm';
import type { Decimal, Wallet } from '../api/types';
import type { Exchange } from '../exchange/useExchange';

const CHOICES: [Side | 'mine', string][] = [
  ['buy', 'Buy'],
  ['sell', 'Sell'],
  ['mine', 'Mine'],
];

/** The three ways to change a wallet. */
export function OrderCard({
  wallet,
  price,
  order,
}: {
  wallet: Wallet;
  price: Decimal | null;
  order: Exchange['order'];
}) {
  const [choice, setChoice] = useState<Side | 'mine'>('buy');
  return (
    <section className="card order" aria-label="Buy, sell or mine">
      <fieldset className="segments">
        <legend className="visually-hidden">What to do</legend>
        {CHOICES.map(([value, label]) => (
          <label key={value}>
            <input
              type="radio"
              name="choice"
              value={value}
              checked={choice === value}
              onChange={() => {
                setChoice(value);
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      {choice === 'mine' ? (
        <MineForm wallet={wallet} order={order} />
      ) : (
        <TradeForm key={choice} side={choice} wallet={wallet} price={price} order={order} />
      )}
    </section>
  );
}
