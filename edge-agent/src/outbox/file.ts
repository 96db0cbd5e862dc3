import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure, messageOf } from '#shared/failure.ts';

/** "OtOb" in the file's header: an outbox of ours, whatever else SQLite can open. */
const APPLICATION_ID = 0x4f744f62;
const SCHEMA_VERSION = 1;

/**
 * Readings and gaps share one sequence of row numbers, so that a batch is a range of it.
 * `bins` remembers the newest reading of every bin also after its rows were trimmed.
 */
const SCHEMA = `
  CREATE TABLE store (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    epoch     TEXT    NOT NULL,
    receipted INTEGER NOT NULL,
    next_row  INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE readings (
    row     INTEGER PRIMARY KEY,
    bin     TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    value   INTEGER,
    unit    TEXT    NOT NULL,
    samples INTEGER NOT NULL,
    spread  INTEGER NOT NULL,
    quality TEXT    NOT NULL,
    synced  INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE gaps (
    row     INTEGER PRIMARY KEY,
    bin     TEXT    NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    why     TEXT    NOT NULL
  ) STRICT;
  CREATE TABLE batches (
    seq       INTEGER PRIMARY KEY,
    first_row INTEGER NOT NULL,
    last_row  INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE bins (
    bin          TEXT    PRIMARY KEY,
    at           INTEGER NOT NULL,
    value        INTEGER,
    unit         TEXT    NOT NULL,
    samples      INTEGER NOT NULL,
    spread       INTEGER NOT NULL,
    quality      TEXT    NOT NULL,
    accounted_to INTEGER NOT NULL,
    unconfirmed  INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
`;

/** Pages of 4 KiB that stay in memory: 2 MiB, whatever the size of the backlog. */
const CACHE_KIB = 2_048;

export interface OpenedFile {
  readonly database: DatabaseSync;
  /** Where a corrupt file was set aside, if one was found. */
  readonly setAside: { readonly file: string; readonly why: string } | null;
}

/**
 * Opens `outbox.sqlite` of a folder, creating both where they are missing. A file that is corrupt is
 * renamed, never deleted, and a new one takes its place.
 * @param stamp part of the new name of a corrupt file
 * @throws Failure `outbox-unwritable` or `outbox-newer`
 */
export function openFile(folder: string, stamp: string): OpenedFile {
  const file = join(folder, 'outbox.sqlite');
  try {
    mkdirSync(folder, { recursive: true });
    return { database: openSound(file), setAside: null };
  } catch (error) {
    const failure = outboxFailure(error, file);
    if (failure.code !== 'outbox-corrupt') throw failure;
    try {
      const aside = setAside(file, stamp);
      return { database: openSound(file), setAside: { file: aside, why: failure.message } };
    } catch (second) {
      throw outboxFailure(second, file);
    }
  }
}

function openSound(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB};
    `);
    const tables = numberOf(database, 'SELECT count(*) FROM sqlite_schema');
    if (tables === 0) create(database);
    else check(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function create(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${SCHEMA_VERSION};
    ${SCHEMA}
    COMMIT;
  `);
}

function check(database: DatabaseSync, file: string): void {
  if (numberOf(database, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw corrupt(`${file} is not an outbox`);
  }
  const version = numberOf(database, 'PRAGMA user_version');
  if (version > SCHEMA_VERSION) {
    const message = `${file} was written by a newer agent (version ${version}): update this one`;
    throw new Failure('outbox-newer', message, { retry: 'never' });
  }
  const [found] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
  if (found !== 'ok') throw corrupt(`${file} is corrupt: ${String(found)}`);
}

export function numberOf(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
}

const corrupt = (message: string): Failure =>
  new Failure('outbox-corrupt', message, { retry: 'never' });

/** Renames the file and its journal. */
function setAside(file: string, stamp: string): string {
  const aside = `${file}.corrupt-${stamp}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return aside;
}

/** Primary result codes of SQLite, https://sqlite.org/rescode.html */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** What SQLite threw, as a failure that says what to do. */
export function outboxFailure(error: unknown, file: string): Failure {
  if (error instanceof Failure) return error;
  const result = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (result === SQLITE_CORRUPT || result === SQLITE_NOTADB) {
    return new Failure('outbox-corrupt', `${file} is corrupt: ${messageOf(error)}`, {
      retry: 'never',
      cause: error,
    });
  }
  const message = `cannot write ${file}: ${messageOf(error)}; check permissions and free disk`;
  return new Failure('outbox-unwritable', message, { retry: 'later', cause: error });
}
