const PREFIX = 'urn:kubecoin:problem:';

/**
 * Why a request did not succeed. The backend and nginx answer with RFC 9457 problems; `unreachable`,
 * `timeout`, `unexpected-answer` and `wallet-exists` are what the page itself finds.
 */
export class Problem extends Error {
  constructor(
    /** The last part of the problem's type, e.g. `insufficient-balance`. */
    readonly slug: string,
    readonly detail: string,
  ) {
    super(`${slug}: ${detail}`);
    this.name = 'Problem';
  }
}

/** Reads the problem out of an answer that is not 2xx. */
export async function problemFrom(response: Response): Promise<Problem> {
  const unexpected = new Problem('unexpected-answer', `The server answered ${response.status}.`);
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    return unexpected;
  }
  const body = (await response.json().catch(() => null)) as {
    type?: unknown;
    title?: unknown;
    detail?: unknown;
  } | null;
  if (typeof body?.type !== 'string' || !body.type.startsWith(PREFIX)) {
    return unexpected;
  }
  const detail = [body.detail, body.title].find((text) => typeof text === 'string');
  return new Problem(body.type.slice(PREFIX.length), detail ?? '');
}

/** A stretch of the way from this browser to the data, named by its far end. */
export type Link = 'frontend' | 'backend' | 'database';

/** Which link is broken, or null for a problem that an intact chain answers with. */
export function brokenLink(problem: Problem): Link | null {
  switch (problem.slug) {
    case 'unreachable':
    case 'timeout':
    case 'unexpected-answer':
      return 'frontend';
    case 'backend-unavailable':
    case 'internal-error':
      return 'backend';
    case 'database-unavailable':
      return 'database';
    default:
      return null;
  }
}

/** What to tell the user: what happened, and what to do about it. */
export function explain(problem: Problem): { title: string; hint: string } {
  switch (problem.slug) {
    case 'insufficient-balance':
      return {
        title: 'Not enough money for that.',
        hint: 'Nothing was bought. Max fills in the most that you can afford at this price.',
      };
    case 'insufficient-coins':
      return {
        title: 'You do not have that many coins.',
        hint: 'Nothing was sold. Max fills in all that you have.',
      };
    case 'wallet-full':
      return {
        title: 'The wallet cannot hold that much.',
        hint: 'Nothing was changed. Its columns have 13 digits before the point.',
      };
    case 'mine-exhausted':
      return {
        title: 'No nonce was found this time.',
        hint: 'Others may be mining too: try again.',
      };
    case 'invalid-amount':
      return {
        title: 'That is not an amount of coins.',
        hint: 'Use a number above zero with at most two decimals, such as 1.50.',
      };
    case 'invalid-wallet-id':
      return {
        title: 'That is not a name for a wallet.',
        hint: 'Use 1 to 64 letters, digits, dots, dashes or underscores.',
      };
    case 'wallet-not-found':
      return {
        title: 'There is no wallet with that name.',
        hint: 'Check the spelling, or create it.',
      };
    case 'wallet-exists':
      return {
        title: 'There already is a wallet with that name.',
        hint: 'Nothing was changed. Choose another name, or open it if it is yours.',
      };
    case 'wallets-table-missing':
      return {
        title: 'The database has no table “wallets” yet.',
        hint: 'Create it with: kubectl kubecoin init-db',
      };
    case 'database-unavailable':
      return {
        title: 'The database did not answer.',
        hint: 'The page keeps asking and says so when it is back.',
      };
    case 'backend-unavailable':
      return {
        title: 'The backend did not answer.',
        hint: 'The page keeps asking and says so when it is back.',
      };
    case 'unreachable':
    case 'timeout':
      return {
        title: 'The exchange did not answer.',
        hint: 'Is the port-forward still running? The page keeps asking.',
      };
    default:
      return { title: 'That did not work.', hint: problem.detail };
  }
}
