import { describe, expect, it, vi } from 'vitest';
import { walletAddress, walletInAddress } from './route';
import { isWalletId, rememberedWallet, rememberWallet, suggestWalletId } from './walletId';

describe('isWalletId', () => {
  it.each(['a', 'Anna-1', 'a.b_c', '...', 'x'.repeat(64)])('takes %j', (id) => {
    expect(isWalletId(id)).toBe(true);
  });
  it.each(['', 'x'.repeat(65), 'a b', 'a/b', 'änna', '.', '..', 'a\n'])('refuses %j', (id) => {
    expect(isWalletId(id)).toBe(false);
  });
});

it('suggests what may be a wallet, at both ends of chance', () => {
  expect(isWalletId(suggestWalletId(() => 0))).toBe(true);
  expect(suggestWalletId(() => 0.999999)).toBe('swift-whale-999');
});

it('finds the wallet of an address again', () => {
  expect(walletInAddress(walletAddress('anna'))).toBe('anna');
  expect(walletInAddress('/w/anna/')).toBe('anna');
  expect(walletInAddress('/w/a%20b')).toBe('a b');
  expect(walletInAddress('/w/%E0%A4%A')).toBe('%E0%A4%A');
  expect(walletInAddress('/')).toBeNull();
  expect(walletInAddress('/w/')).toBeNull();
  expect(walletInAddress('/w/a/b')).toBeNull();
});

describe('the remembered wallet', () => {
  it('is the last one', () => {
    expect(rememberedWallet()).toBeNull();
    rememberWallet('anna');
    expect(rememberedWallet()).toBe('anna');
  });

  it('is none if storage holds nonsense or is switched off', () => {
    rememberWallet('a b');
    expect(rememberedWallet()).toBeNull();
    const off = () => {
      throw new DOMException('denied', 'SecurityError');
    };
    vi.spyOn(Storage.prototype, 'getItem').mockImplementation(off);
    vi.spyOn(Storage.prototype, 'setItem').mockImplementation(off);
    rememberWallet('anna');
    expect(rememberedWallet()).toBeNull();
  });
});
