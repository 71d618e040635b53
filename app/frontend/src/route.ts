import { useSyncExternalStore } from 'react';
import { isWalletId, rememberedWallet } from './walletId';

/** Where wallets are created and opened. */
export const CHOOSER = '/w/';

export const walletAddress = (id: string) => `/w/${id}`;

/** The wallet that the address names, well-formed or not; null for none. */
export function walletInAddress(pathname: string): string | null {
  const match = /^\/w\/([^/]+)\/?$/.exec(pathname);
  if (!match?.[1]) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return match[1];
  }
}

/** Changes the address without a page load. */
export function navigate(path: string, { replace = false } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Gives the bare address the wallet that this browser opened last, if there is one. */
export function openRemembered(): void {
  const id = rememberedWallet();
  if (location.pathname === '/' && id !== null) navigate(walletAddress(id), { replace: true });
}

function subscribe(changed: () => void): () => void {
  addEventListener('popstate', changed);
  return () => {
    removeEventListener('popstate', changed);
  };
}

export interface Route {
  /** A well-formed wallet id, or null where wallets are chosen. */
  wallet: string | null;
  /** What the address has in a wallet's place, if it can be none. */
  invalid: string | null;
}

export function useRoute(): Route {
  const pathname = useSyncExternalStore(subscribe, () => location.pathname);
  const wallet = walletInAddress(pathname);
  return wallet === null || isWalletId(wallet)
    ? { wallet, invalid: null }
    : { wallet: null, invalid: wallet };
}
