import { vi } from 'vitest';
import { info, price, wallet } from './samples';
import type { Info, Wallet } from '../api/types';

export interface Call {
  method: string;
  path: string;
  body: unknown;
}

function answer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

export function problem(slug: string, status: number): Response {
  return new Response(
    JSON.stringify({ type: `urn:kubecoin:problem:${slug}`, title: slug, status, detail: slug }),
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  );
}

/** The exchange behind a replaced `fetch`; a test changes it and the page finds out by polling. */
export class FakeExchange {
  info: Info = info();
  wallets = new Map<string, Wallet>();
  /** Answers in place of everything that needs the database. */
  down: (() => Response) | null = null;
  /** Answers the next order. */
  order: (() => Response) | null = null;
  calls: Call[] = [];

  constructor(...ids: string[]) {
    for (const id of ids) this.wallets.set(id, wallet({ id }));
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) =>
      Promise.resolve(
        this.respond(
          init?.method ?? 'GET',
          (input as string).replace('/api', ''),
          typeof init?.body === 'string' ? JSON.parse(init.body) : undefined,
        ),
      ),
    );
  }

  private respond(method: string, path: string, body: unknown): Response {
    this.calls.push({ method, path, body });
    if (path.startsWith('/price')) return answer(price);
    if (this.down) return this.down();
    if (path === '/info') return answer(this.info);
    if (path === '/wallets') {
      return answer({ count: this.wallets.size, recent: [...this.wallets.keys()] });
    }
    const id = path.split('/')[2] ?? '';
    if (method === 'POST') return this.order?.() ?? problem('not-found', 404);
    const found = this.wallets.get(id);
    if (method === 'PUT') {
      this.wallets.set(id, found ?? wallet({ id }));
      return answer(this.wallets.get(id), found ? 200 : 201);
    }
    return found ? answer(found) : problem('wallet-not-found', 404);
  }
}

export { answer };
