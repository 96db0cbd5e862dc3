import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdir } from 'node:fs/promises';
import { PGlite, types } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, sql, type KyselyPlugin, type Transaction } from 'kysely';
import { Failure, messageOf } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { ensureCluster } from './cluster.ts';
import type { Database, Scope } from './database.ts';
import { DURABLE_START, DurableFiles } from './durable-files.ts';
import { faultOf } from './faults.ts';
import { lockFolder } from './folder-lock.ts';
import { migrate } from './migrations.ts';
import type { Tables } from './tables.ts';

/**
 * Opens the embedded database in `folder`, makes it on first start and migrates it.
 * @param options.log what PostgreSQL itself says while running
 * @throws Failure `database-in-use`, `database-unopenable`, or those of `migrate`; the folder's
 *   content is never deleted
 */
export async function openPglite(
  folder: string,
  options: { readonly log?: Log } = {},
): Promise<Database> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw unopenable(folder, messageOf(cause), cause);
  }
  const unlock = lockFolder(folder);
  try {
    const pglite = await start(await ensureCluster(folder), options.log);
    try {
      await migrate(pglite);
    } catch (error) {
      await pglite.close();
      throw error;
    }
    return new PgliteDatabase(pglite, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function start(cluster: string, log: Log | undefined): Promise<PGlite> {
  const said: string[] = [];
  try {
    return await PGlite.create({
      fs: new DurableFiles(cluster),
      startParams: DURABLE_START,
      parsers: { [types.INT8]: safeInteger },
      onStderr: (line) => {
        said.push(line);
        log?.info({ postgres: line }, 'database said');
        return true;
      },
    });
  } catch (cause) {
    // The engine's last words tell more than the exception, which is `Aborted()`.
    const words = said.filter((line) => /\b(PANIC|FATAL|DETAIL):/.test(line));
    const why = words.map((line) => line.replace(/^.*?\b(PANIC|FATAL|DETAIL):\s*/, '')).join(' ');
    throw unopenable(cluster, why === '' ? messageOf(cause) : why, cause);
  }
}

function unopenable(place: string, why: string, cause: unknown): Failure {
  const message =
    `${place}: the database cannot be opened: ${why}; ` +
    'mend that, or restore the folder from a backup';
  return new Failure('database-unopenable', message, { retry: 'never', cause });
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is no safe integer`);
  return value;
}

class PgliteDatabase implements Database {
  readonly sql: Kysely<Tables>;
  readonly #pglite: PGlite;
  /** Kysely hands out PGlite's one connection to one query or transaction at a time. */
  readonly #kysely: Kysely<Tables>;
  readonly #unlock: () => void;
  readonly #within = new AsyncLocalStorage<{ open: boolean }>();
  #closing: Promise<void> | undefined;

  constructor(pglite: PGlite, unlock: () => void) {
    this.#pglite = pglite;
    this.#kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
    this.#unlock = unlock;
    const guard: KyselyPlugin = {
      transformQuery: ({ node }) => {
        this.#assertOutside();
        return node;
      },
      transformResult: async ({ result }) => result,
    };
    this.sql = this.#kysely.withPlugin(guard);
  }

  async transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    this.#assertOutside();
    const within = { open: true };
    try {
      return await this.#kysely
        .transaction()
        .execute((tx) => this.#within.run(within, () => work(tx)));
    } catch (error) {
      throw faultOf(error);
    } finally {
      within.open = false;
    }
  }

  scoped<T>(scope: Scope, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return this.transaction(async (tx) => {
      await sql`select set_config('transaction_read_only', 'on', true),
        set_config('offtake.customer', ${scope}, true),
        set_config('role', 'offtake_reader', true)`.execute(tx);
      return work(tx);
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      // Granted when everyone before is done.
      await this.#kysely.connection().execute(async () => {});
      await this.#kysely.destroy();
      if (!this.#pglite.closed) await this.#pglite.close();
    } finally {
      this.#unlock();
    }
  }

  /** What is begun inside of a transaction would wait for its end, and it for that, for ever. */
  #assertOutside(): void {
    if (this.#within.getStore()?.open === true) {
      throw new Error('inside of a transaction, query through its tx');
    }
  }
}
