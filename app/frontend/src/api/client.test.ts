import { describe, expect, it, vi } from 'vitest';
import { getInfo, getWallet, placeOrder, putWallet } from './client';
import { brokenLink, explain, Problem } from './problem';
import { answer, FakeExchange, problem } from '../test/exchange';
import { info } from '../test/samples';

const failure = (response: Response | Error) => {
  vi.spyOn(globalThis, 'fetch').mockImplementation(() =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
  return getWallet('anna').then(
    () => expect.unreachable('the request succeeded'),
    (error: unknown) => error as Problem,
  );
};

describe('a failed request', () => {
  it('is the problem that the server names', async () => {
    const error = await failure(problem('insufficient-balance', 409));
    expect(error).toBeInstanceOf(Problem);
    expect(error.slug).toBe('insufficient-balance');
  });

  it.each([
    new Response('<h1>404</h1>', { status: 404, headers: { 'Content-Type': 'text/html' } }),
    new Response('{', { status: 500, headers: { 'Content-Type': 'application/problem+json' } }),
    new Response('{"type":"about:blank"}', {
      status: 500,
      headers: { 'Content-Type': 'application/problem+json' },
    }),
  ])('is an unexpected answer if it names none', async (response) => {
    expect((await failure(response)).slug).toBe('unexpected-answer');
  });

  it('is unreachable without an answer', async () => {
    expect((await failure(new TypeError('Failed to fetch'))).slug).toBe('unreachable');
  });

  it('is a time-out when the answer takes too long', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
    expect((await failure(new DOMException('', 'TimeoutError'))).slug).toBe('timeout');
  });

  it('stays an abort when the page gave up', async () => {
    const reason = new DOMException('', 'AbortError');
    vi.spyOn(globalThis, 'fetch').mockRejectedValue(reason);
    await expect(getWallet('anna', AbortSignal.abort())).rejects.toBe(reason);
  });
});

it('tells a created wallet from one there was', async () => {
  new FakeExchange('ben');
  await expect(putWallet('anna')).resolves.toMatchObject({ created: true });
  await expect(putWallet('ben')).resolves.toMatchObject({ created: false });
});

it('finds how far the clock of the server is ahead', async () => {
  const date = new Date(Date.now() + 90_000).toUTCString();
  vi.spyOn(globalThis, 'fetch').mockResolvedValue(
    new Response(JSON.stringify(info()), { headers: { Date: date } }),
  );
  const { skew } = await getInfo();
  expect(skew).toBeGreaterThan(85_000);
  expect(skew).toBeLessThan(91_000);
});

it('sends coins as text', async () => {
  const exchange = new FakeExchange('anna');
  exchange.order = () => answer({});
  await placeOrder('anna', { kind: 'sell', coins: '1.50' });
  expect(exchange.calls).toEqual([
    { method: 'POST', path: '/wallets/anna/trades', body: { side: 'sell', coins: '1.50' } },
  ]);
});

it('knows which link a problem breaks', () => {
  const link = (slug: string) => brokenLink(new Problem(slug, ''));
  expect(link('database-unavailable')).toBe('database');
  expect(link('backend-unavailable')).toBe('backend');
  expect(link('internal-error')).toBe('backend');
  expect(link('unreachable')).toBe('frontend');
  expect(link('timeout')).toBe('frontend');
  expect(link('insufficient-coins')).toBeNull();
  expect(link('wallets-table-missing')).toBeNull();
});

it('has words of its own for every problem that a user can cause or wait for', () => {
  const slugs = [
    ...['insufficient-balance', 'insufficient-coins', 'invalid-amount', 'invalid-wallet-id'],
    ...['wallet-not-found', 'wallet-exists', 'wallet-full', 'mine-exhausted'],
    ...['wallets-table-missing', 'database-unavailable', 'backend-unavailable', 'unreachable'],
  ];
  const titles = slugs.map((slug) => explain(new Problem(slug, '')).title);
  expect(new Set(titles).size).toBe(slugs.length);
  expect(explain(new Problem('wallets-table-missing', '')).hint).toContain(
    'kubectl kubecoin init-db',
  );
  expect(explain(new Problem('brand-new', 'What the server said.')).hint).toBe(
    'What the server said.',
  );
});
