/** A number with exactly two decimals, as text: money is never a JavaScript number. */
export type Decimal = string;

/** RFC 3339 in UTC, ending in `Z`. */
export type Timestamp = string;

export interface Wallet {
  id: string;
  balance: Decimal;
  coins: Decimal;
  created_at: Timestamp;
  updated_at: Timestamp;
}

export interface WalletList {
  count: number;
  /** Ids of the wallets that changed last, newest first. */
  recent: string[];
}

export interface PricePoint {
  at: Timestamp;
  price: Decimal;
}

export interface PriceHistory {
  price: Decimal;
  at: Timestamp;
  /** Seconds between two points. */
  interval: number;
  /** Oldest first; the last is the price now. */
  points: PricePoint[];
}

export interface Info {
  backend: { pod: string };
  database: {
    host: string;
    /** PostgreSQL's `cluster_name`, which the manifest sets to the pod's name. */
    pod: string | null;
    started_at: Timestamp;
    /** Made once by initdb and kept in the data directory: the same id is the same data. */
    system_identifier: string;
    /** Null while the table is missing. */
    wallets: number | null;
    wallets_table: boolean;
  };
}

export interface Trade {
  side: 'buy' | 'sell';
  coins: Decimal;
  price: Decimal;
  amount: Decimal;
  wallet: Wallet;
}

export interface Mined {
  nonce: string;
  /** SHA-256 of the text `<wallet id>:<nonce>`, in hex. */
  hash: string;
  wallet: Wallet;
}

/** Something a user asks for that changes the wallet. */
export type Order = { kind: 'buy' | 'sell'; coins: Decimal } | { kind: 'mine' } | { kind: 'reset' };

export type Receipt =
  ({ kind: 'trade' } & Trade) | ({ kind: 'mine' } & Mined) | { kind: 'reset'; wallet: Wallet };
