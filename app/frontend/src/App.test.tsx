import { act, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App } from './App';
import { openRemembered } from './route';
import { answer, FakeExchange, problem } from './test/exchange';
import { info, wallet } from './test/samples';
import { rememberWallet } from './walletId';

const user = userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
const pass = (milliseconds: number) =>
  act(async () => {
    await vi.advanceTimersByTimeAsync(milliseconds);
  });

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
});
afterEach(() => {
  vi.useRealTimers();
});

async function click(element: HTMLElement) {
  await user.click(element);
  await pass(0);
}

async function open(path: string) {
  history.replaceState(null, '', path);
  openRemembered();
  render(<App />);
  await pass(0);
}

const button = (name: string | RegExp) => screen.getByRole('button', { name });
const stop = (name: string) => screen.getByTestId(`stop-${name}`);

describe('the first visit', () => {
  it('says what the database has and creates nothing', async () => {
    const exchange = new FakeExchange('anna', 'ben', 'eve');
    await open('/');
    screen.getByRole('heading', {
      name: 'This browser has no wallet yet, the database has 3',
    });
    await pass(5000);
    expect(exchange.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('creates the wallet asked for and moves to its address', async () => {
    const exchange = new FakeExchange('anna');
    await open('/');
    const name = screen.getByLabelText('Name of your new wallet');
    await user.clear(name);
    await user.type(name, 'zoe');
    await click(button('Create wallet'));
    await pass(0);
    expect(location.pathname).toBe('/w/zoe');
    expect(exchange.wallets.has('zoe')).toBe(true);
    expect(screen.getByTestId('balance').textContent).toBe('$1,000.00');
    expect(localStorage.getItem('kubecoin.wallet')).toBe('zoe');
  });

  it('does not take over a wallet that there is', async () => {
    new FakeExchange('anna');
    await open('/');
    const name = screen.getByLabelText('Name of your new wallet');
    await user.clear(name);
    await user.type(name, 'anna');
    await click(button('Create wallet'));
    expect(screen.getByRole('alert').textContent).toContain('already is a wallet');
    expect(location.pathname).toBe('/');
  });

  it('opens an existing wallet only', async () => {
    new FakeExchange('anna');
    await open('/');
    const name = screen.getByLabelText('Name of an existing wallet');
    await user.type(name, 'nobody');
    await click(button('Open wallet'));
    expect(screen.getByRole('alert').textContent).toContain('There is no wallet with that name');
    await user.clear(name);
    await user.type(name, 'an na');
    await click(button('Open wallet'));
    expect(screen.getByRole('alert').textContent).toContain('not a name for a wallet');
    await user.clear(name);
    await user.type(name, 'anna');
    await click(button('Open wallet'));
    expect(location.pathname).toBe('/w/anna');
  });
});

describe('the address', () => {
  it('counts, and the memory of the browser is only a default', async () => {
    new FakeExchange('anna', 'ben');
    rememberWallet('ben');
    await open('/w/anna');
    screen.getByRole('heading', { name: 'Wallet anna' });
  });

  it('without a wallet gets the remembered one', async () => {
    new FakeExchange('ben');
    rememberWallet('ben');
    await open('/');
    expect(location.pathname).toBe('/w/ben');
  });

  it('of no wallet offers to create it', async () => {
    const exchange = new FakeExchange();
    await open('/w/zoe');
    screen.getByRole('heading', { name: 'There is no wallet called zoe' });
    expect(exchange.wallets.size).toBe(0);
    await click(button('Create it'));
    screen.getByRole('heading', { name: 'Wallet zoe' });
  });

  it('that cannot be one says why', async () => {
    new FakeExchange();
    await open('/w/a%20b');
    expect(screen.getByRole('alert').textContent).toContain('“a b” cannot be');
  });
});

describe('an order', () => {
  it('to buy shows its estimate, its most, and what it brought', async () => {
    const exchange = new FakeExchange('anna');
    await open('/w/anna');
    await user.type(screen.getByLabelText('Coins'), '1.5');
    expect(screen.getByTestId('estimate').textContent).toBe('$151.85');
    await click(button('Max'));
    expect(screen.getByLabelText<HTMLInputElement>('Coins').value).toBe('9.87');
    const after = wallet({ balance: '848.15', coins: '1.50' });
    exchange.order = () =>
      answer({ side: 'buy', coins: '1.50', price: '101.23', amount: '151.85', wallet: after });
    await click(button(/^Buy/));
    expect(screen.getByText(/for \$151\.85, at \$101\.23/).textContent).toContain(
      'Bought 1.50 coins',
    );
    expect(screen.getByTestId('balance').textContent).toBe('$848.15');
    expect(screen.getByTestId('worth').textContent).toBe('$1,000.00');
  });

  it('of no amount is not even sent', async () => {
    const exchange = new FakeExchange('anna');
    await open('/w/anna');
    await user.type(screen.getByLabelText('Coins'), '1.234');
    await click(button('Buy coins'));
    expect(screen.getByRole('alert').textContent).toContain('not an amount');
    expect(exchange.calls.some(({ method }) => method === 'POST')).toBe(false);
  });

  it('that is refused says so and leaves the wallet alone', async () => {
    const exchange = new FakeExchange('anna');
    exchange.order = () => problem('insufficient-coins', 409);
    await open('/w/anna');
    await click(screen.getByRole('radio', { name: 'Sell' }));
    await user.type(screen.getByLabelText('Coins'), '5');
    await click(button('Sell 5.00 coins'));
    expect(screen.getByRole('alert').textContent).toContain('do not have that many coins');
    expect(screen.getByText('Connected')).toBeTruthy();
  });

  it('to mine shows how to check it', async () => {
    const exchange = new FakeExchange('anna');
    const hash = '0000' + 'ab'.repeat(30);
    exchange.order = () => answer({ nonce: '42', hash, wallet: wallet({ coins: '1.00' }) });
    await open('/w/anna');
    await click(screen.getByRole('radio', { name: 'Mine' }));
    await click(button('Mine one coin'));
    expect(screen.getByTestId('hash').textContent).toBe(hash);
    screen.getByText("printf %s 'anna:42' | sha256sum");
    expect(screen.getByTestId('coins').textContent).toBe('1.00');
  });

  it('to start over is asked about first', async () => {
    const exchange = new FakeExchange('anna');
    exchange.order = () => answer(wallet());
    await open('/w/anna');
    await click(button('Start over'));
    expect(exchange.calls.some(({ method }) => method === 'POST')).toBe(false);
    await click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Start over' }));
    screen.getByText('The wallet starts over.');
  });

  it('without an answer is found out later', async () => {
    const exchange = new FakeExchange('anna');
    exchange.order = () => problem('backend-unavailable', 503);
    await open('/w/anna');
    await user.type(screen.getByLabelText('Coins'), '1');
    await click(button('Buy 1.00 coins'));
    expect(screen.getByRole('alert').textContent).toContain('may or may not');
    await pass(600);
    screen.getByText('Your order to buy 1.00 coins was not carried out.');
  });
});

describe('while the database is away', () => {
  it('the wallet stays, the seconds count, and the page recovers by itself', async () => {
    const exchange = new FakeExchange('anna');
    await open('/w/anna');
    expect(stop('database').textContent).toContain('server started');
    exchange.down = () => problem('database-unavailable', 503);
    await pass(2000);
    expect(screen.getByText('Database away')).toBeTruthy();
    expect(screen.getByTestId('balance').textContent).toBe('$1,000.00');
    expect(stop('backend').textContent).toContain('backend-abc');
    expect(stop('database').textContent).toContain('does not answer');
    const seconds = () =>
      Number(/away for ([\d.]+) s/.exec(screen.getByTestId('away').textContent)?.[1]);
    const before = seconds();
    await pass(3000);
    expect(seconds() - before).toBeGreaterThanOrEqual(2.9);
    expect(screen.getByRole('timer').textContent).toMatch(/^\d+ s$/);

    exchange.down = null;
    exchange.info = info({ started_at: '2026-11-23T20:00:10Z' });
    await pass(600);
    screen.getByText('Nothing was lost.');
    screen.getByText('Your wallet is the same row');
    screen.getByText('The server is a new one');
    expect(screen.queryByTestId('away')).toBeNull();
    await click(button('Dismiss'));
    expect(screen.queryByText('Nothing was lost.')).toBeNull();
  });

  it('is honest when the data is another', async () => {
    const exchange = new FakeExchange('anna');
    await open('/w/anna');
    exchange.info = info({
      system_identifier: '9999',
      wallets: 0,
      started_at: '2026-11-23T21:00:00Z',
    });
    exchange.wallets.clear();
    await pass(2000);
    screen.getByText('Data was lost.');
    screen.getByText('Your wallet is gone.');
    screen.getByText('This is another database');
    screen.getByRole('heading', { name: 'There is no wallet called anna' });
  });

  it('or the backend: says which', async () => {
    const exchange = new FakeExchange('anna');
    await open('/w/anna');
    exchange.down = () => problem('backend-unavailable', 503);
    await pass(2000);
    expect(screen.getByText('Backend away')).toBeTruthy();
    expect(stop('backend').textContent).toContain('does not answer');
    expect(stop('database').textContent).toContain('cannot be seen');
  });
});

it('says the command while the table is missing, and goes on once it is there', async () => {
  const exchange = new FakeExchange('anna');
  exchange.info = info({ wallets: null, wallets_table: false });
  await open('/w/anna');
  screen.getByText('kubectl kubecoin init-db');
  exchange.info = info();
  await pass(2000);
  screen.getByRole('heading', { name: 'Wallet anna' });
});

it('asks nothing while the tab is hidden, and at once when it is shown', async () => {
  const exchange = new FakeExchange('anna');
  await open('/w/anna');
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  await pass(2500);
  const before = exchange.calls.length;
  await pass(10_000);
  expect(exchange.calls.length).toBe(before);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event('visibilitychange'));
  await pass(0);
  expect(exchange.calls.length).toBeGreaterThan(before);
});
