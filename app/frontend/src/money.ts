import type { Decimal } from './api/types';

/** Hundredths: cents of money, hundredths of a coin, or cents of price per coin. */
export type Hundredths = bigint;

/** Reads what the server sent or a user typed; a decimal comma is taken too. Null if it is neither. */
export function parse(text: string): Hundredths | null {
  const match = /^(\d{1,13})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  return match ? BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(2, '0')) : null;
}

/** Reads a `Decimal` of the server; throws on anything else. */
export function fromDecimal(decimal: Decimal): Hundredths {
  const hundredths = parse(decimal);
  if (hundredths === null) throw new TypeError(`not a decimal: ${decimal}`);
  return hundredths;
}

export function toDecimal(hundredths: Hundredths): Decimal {
  const digits = hundredths.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** `1234567.50` as `1,234,567.50`. */
export function grouped(decimal: Decimal): string {
  return decimal.replace(/\B(?=(\d{3})+\.)/g, ',');
}

export const dollars = (decimal: Decimal) => `$${grouped(decimal)}`;

/** What the coins cost at that price, rounded half up to a cent as the server does. */
export function cost(coins: Hundredths, price: Hundredths): Hundredths {
  return (coins * price + 50n) / 100n;
}

/** The most coins whose cost, rounded half up, does not exceed the balance. */
export function affordable(balance: Hundredths, price: Hundredths): Hundredths {
  return price === 0n ? 0n : (balance * 100n + 49n) / price;
}
