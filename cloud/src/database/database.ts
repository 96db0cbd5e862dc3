import type { Kysely, Transaction } from 'kysely';
import type { CustomerId } from '#shared/ids.ts';
import type { Tables } from './tables.ts';

/** Whose rows a reader may see: one customer's, or all (`*`). */
export type Scope = '*' | CustomerId;

/**
 * The SQL database, one PostgreSQL dialect whatever executes it. Faults of the machinery under it
 * (disk full, engine broken) are thrown as `Failure` by `transaction` and `scoped`; a statement
 * that PostgreSQL refuses is the caller's mistake and stays PostgreSQL's error.
 */
export interface Database {
  /**
   * As the tables' owner, each query on its own. Not inside of the two below: use their `tx`. The
   * embedded database has one connection, so that such a query would wait for itself; it throws.
   */
  readonly sql: Kysely<Tables>;
  /** All or nothing; nobody else's query comes between. Transactions do not nest. */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Reads only, as role offtake_reader, who sees the rows of `scope` only. */
  scoped<T>(scope: Scope, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Waits for what was begun; may be called twice. */
  close(): Promise<void>;
}
