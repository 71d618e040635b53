const REMEMBERED = 'kubecoin.wallet';
const FIRST = ['amber', 'brave', 'calm', 'clever', 'gentle', 'happy', 'lucky', 'quiet', 'swift'];
const SECOND = ['badger', 'falcon', 'heron', 'lynx', 'marten', 'otter', 'panda', 'robin', 'whale'];

/** The server's rule, less `.` and `..`, which no browser leaves in an address. */
export function isWalletId(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== '.' && text !== '..';
}

export function suggestWalletId(random: () => number = Math.random): string {
  const pick = (words: string[]) => words[Math.floor(random() * words.length)] ?? '';
  return `${pick(FIRST)}-${pick(SECOND)}-${100 + Math.floor(random() * 900)}`;
}

/** The wallet that this browser opened last. Storage can be switched off: then there is none. */
export function rememberedWallet(): string | null {
  try {
    const id = localStorage.getItem(REMEMBERED);
    return id !== null && isWalletId(id) ? id : null;
  } catch {
    return null;
  }
}

export function rememberWallet(id: string): void {
  try {
    localStorage.setItem(REMEMBERED, id);
  } catch {
    // It is only a default; the address carries the id.
  }
}
