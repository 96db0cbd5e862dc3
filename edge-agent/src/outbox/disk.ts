import { DatabaseSync } from 'node:sqlite';
import { Failure, messageOf } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import { openFile, openReadable, outboxFailure, suspect, type OpenedFile } from './file.ts';
import { createSchema } from './schema.ts';
import { prepare, type Statements } from './statements.ts';

/**
 * `write`: as it should be. `read`: the disk does not allow more, but what is on it can be sent.
 * `none`: nothing can be read either; an empty database in memory stands in, and stays empty.
 */
type Access = 'write' | 'read' | 'none';

interface Opened {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  readonly access: Access;
  readonly found: Omit<OpenedFile, 'database'>;
}

const NOTHING_FOUND = { setAside: null, lostPages: 0, writtenAt: 0 } as const;

export interface DiskOptions {
  readonly folder: string;
  /** Part of the name of a corrupt file that is set aside. */
  readonly stamp: string;
  /** Bins that are known from elsewhere, whatever of them a damaged store can still tell. */
  readonly bins: readonly BinId[];
  /** Whether a disk that cannot be written is waited for, rather than a failure. */
  readonly waits: boolean;
  /** Why it may not be written yet, although it perhaps could; null where it may. */
  readonly shut: Failure | null;
}

/** The outbox's database: opened, opened again, and written in transactions. */
export class Disk {
  readonly #options: DiskOptions;
  #opened: Opened;
  #fault: Failure | null = null;

  /** @throws Failure `outbox-unwritable` unless it `waits`, or `outbox-newer` */
  constructor(options: DiskOptions) {
    this.#options = options;
    try {
      if (options.shut !== null) throw options.shut;
      this.#opened = this.#openWritable();
    } catch (error) {
      if (!options.waits || !isPassing(error)) throw error;
      this.#fault = error;
      this.#opened = openUnwritable(options.folder);
    }
  }

  get access(): Access {
    return this.#opened.access;
  }

  /** Why it cannot be written since it was opened; null where it can. */
  get fault(): string | null {
    return this.#fault?.message ?? null;
  }

  get statements(): Statements {
    return this.#opened.statements;
  }

  get database(): DatabaseSync {
    return this.#opened.database;
  }

  /** Bins that there may be records of. */
  get bins(): readonly BinId[] {
    return this.#options.bins;
  }

  /** What was found wrong when it was opened. */
  get found(): Opened['found'] {
    return this.#opened.found;
  }

  /**
   * Opens for writing what could not be opened so before.
   * @returns whether it could
   * @throws Failure `outbox-newer`
   */
  reopen(): boolean {
    if (this.access === 'write') return false;
    try {
      const before = this.#opened;
      this.#opened = this.#openWritable();
      before.database.close();
      this.#fault = null;
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.#fault = error;
      return false;
    }
  }

  /** As {@link transaction}, but without an fsync: a power cut may undo it. */
  lazily(work: () => void): void {
    this.#expectWritable();
    this.guarded(() => this.database.exec('PRAGMA synchronous = NORMAL'));
    try {
      this.transaction(work);
    } finally {
      this.database.exec('PRAGMA synchronous = FULL');
    }
  }

  /** @throws Failure `outbox-unwritable`, where nothing of it was done, or `outbox-corrupt` */
  transaction(work: () => void): void {
    this.#expectWritable();
    this.guarded(() => {
      this.database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.database.exec('COMMIT');
      } catch (error) {
        if (this.database.isTransaction) this.database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error)) throw error;
      const failure = outboxFailure(error, this.#options.folder);
      throw failure.code === 'outbox-corrupt' ? this.#noticed(failure) : failure;
    }
  }

  /** Damage is noticed once; the next opening sets the file aside, so that no crash loop comes. */
  damaged(what: string): Failure {
    const message = `${this.#options.folder}: the outbox is corrupt: ${what} is not as it was written`;
    return this.#noticed(new Failure('outbox-corrupt', message, { retry: 'never' }));
  }

  close(): void {
    if (this.database.isOpen) this.database.close();
  }

  /** Where the damage cannot be marked nothing can be set aside either: all waits for the disk. */
  #noticed(failure: Failure): Failure {
    try {
      suspect(this.#options.folder);
      return failure;
    } catch (error) {
      const message = `${failure.message}; and it cannot be set aside: ${messageOf(error)}`;
      return new Failure('outbox-unwritable', message, { retry: 'later', cause: failure });
    }
  }

  #expectWritable(): void {
    if (this.#fault !== null) throw this.#fault;
  }

  #openWritable(): Opened {
    const { database, ...found } = openFile(this.#options.folder, this.#options.stamp);
    return { database, statements: prepare(database), access: 'write', found };
  }
}

const PASSING: ReadonlySet<string> = new Set(['outbox-unwritable', 'folder-unwritable']);

const isPassing = (error: unknown): error is Failure =>
  error instanceof Failure && PASSING.has(error.code);

function openUnwritable(folder: string): Opened {
  const readable = openReadable(folder);
  if (readable !== null) {
    const statements = prepare(readable);
    return { database: readable, statements, access: 'read', found: NOTHING_FOUND };
  }
  const database = new DatabaseSync(':memory:');
  createSchema(database);
  return { database, statements: prepare(database), access: 'none', found: NOTHING_FOUND };
}
