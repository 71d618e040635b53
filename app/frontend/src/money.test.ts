import { describe, expect, it } from 'vitest';
import { affordable, cost, dollars, fromDecimal, parse, toDecimal } from './money';

describe('parse', () => {
  it.each([
    ['1', 100n],
    ['1.5', 150n],
    ['0.05', 5n],
    [' 1,50 ', 150n],
    ['9999999999999.99', 999999999999999n],
  ])('reads %j', (text, hundredths) => {
    expect(parse(text)).toBe(hundredths);
  });

  it.each(['', '.', '1.', '.5', '1.234', '-1', '+1', '1e3', '0x1', '1,000.00', '12345678901234'])(
    'refuses %j',
    (text) => {
      expect(parse(text)).toBeNull();
    },
  );
});

it('writes hundredths with two decimals', () => {
  expect([0n, 5n, 50n, 12345n].map(toDecimal)).toEqual(['0.00', '0.05', '0.50', '123.45']);
});

it('keeps the largest balance exact', () => {
  const most = '9999999999999.99';
  expect(toDecimal(fromDecimal(most))).toBe(most);
  expect(dollars(most)).toBe('$9,999,999,999,999.99');
  expect(dollars('999.00')).toBe('$999.00');
});

it('throws on an answer that is no decimal', () => {
  expect(() => fromDecimal('NaN')).toThrow(TypeError);
});

it('rounds a cost half up', () => {
  expect(cost(50n, 10101n)).toBe(5051n);
  expect(cost(150n, 10123n)).toBe(15185n);
  expect(cost(1n, 10149n)).toBe(101n);
});

describe('affordable', () => {
  it.each([
    [100000n, 10123n],
    [100000n, 9999n],
    [1n, 33n],
    [101n, 10150n],
    [10149n, 10150n],
  ])('is the most that a balance of %s buys at %s', (balance, price) => {
    const coins = affordable(balance, price);
    expect(cost(coins, price)).toBeLessThanOrEqual(balance);
    expect(cost(coins + 1n, price)).toBeGreaterThan(balance);
  });

  it('is nothing without money or a price', () => {
    expect(affordable(0n, 10123n)).toBe(0n);
    expect(affordable(100n, 0n)).toBe(0n);
  });
});
