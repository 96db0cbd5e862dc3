import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Failure, messageOf } from '#shared/failure.ts';
import { framesWritten } from './journal.ts';
import {
  APPLICATION_ID,
  contradictsItself,
  createSchema,
  hasSchema,
  OLDER_VERSIONS,
  SCHEMA_VERSION,
  upgradeSchema,
} from './schema.ts';

const NAME = 'outbox.sqlite';
const SUSPECT = '.suspect';

/** Read and checked in a second from the slowest of SD cards (20 MB/s). */
const CHECKED_BYTES = 16 * 1_048_576;

/** Pages of 4 KiB that stay in memory: 2 MiB, whatever the size of the backlog. */
const CACHE_KIB = 2_048;

export interface OpenedFile {
  readonly database: DatabaseSync;
  /** Where a corrupt file was set aside, if one was found. */
  readonly setAside: { readonly file: string; readonly why: string } | null;
  /** Pages at the end of the journal that could not be read any more: commits may be lost. */
  readonly lostPages: number;
  /** When it was last written, ms since 1970 UTC by the machine's clock. */
  readonly writtenAt: number;
}

/**
 * Opens `outbox.sqlite` of a folder, creating both where they are missing. A file that is corrupt is
 * renamed, never deleted, and a new one takes its place.
 * @param stamp part of the new name of a corrupt file
 * @throws Failure `outbox-unwritable` or `outbox-newer`
 */
export function openFile(folder: string, stamp: string): OpenedFile {
  const file = join(folder, NAME);
  try {
    makeFolder(folder);
    const written = framesWritten(`${file}-wal`);
    const lastWrite = writtenAt(file);
    const database = openSound(file);
    const read = Number(database.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.['log'] ?? 0);
    const lostPages = Math.max(0, written - Math.max(0, read));
    return { database, setAside: null, lostPages, writtenAt: lastWrite };
  } catch (error) {
    const failure = outboxFailure(error, file);
    if (failure.code !== 'outbox-corrupt') throw failure;
    const lastWrite = writtenAt(file);
    try {
      const aside = setAside(file, stamp);
      const found = { file: aside, why: failure.message };
      return { database: openSound(file), setAside: found, lostPages: 0, writtenAt: lastWrite };
    } catch (second) {
      throw outboxFailure(second, file);
    }
  }
}

function writtenAt(file: string): number {
  const times = [file, `${file}-wal`].map(
    (each) => statSync(each, { throwIfNoEntry: false })?.mtimeMs,
  );
  return Math.floor(Math.max(0, ...times.filter((time) => time !== undefined)));
}

/**
 * Opens a store for reading whose disk cannot be written. SQLite needs a journal's index to read it:
 * without a journal none is needed, with one it is usually there; where not, nothing can be read.
 * @returns null where there is none, or where it is not sound; what it holds stays until it can be written
 */
export function openReadable(folder: string): DatabaseSync | null {
  const file = join(folder, NAME);
  let database: DatabaseSync | undefined;
  try {
    const url = pathToFileURL(file);
    if (!existsSync(`${file}-wal`)) url.searchParams.set('immutable', '1');
    database = new DatabaseSync(url, { readOnly: true });
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    const version = numberOf(database, 'PRAGMA user_version');
    if (version !== SCHEMA_VERSION || !hasSchema(database)) throw corrupt(`${file} is not ours`);
    checkStructure(database, file);
    return database;
  } catch {
    // The failure to write it is what is told: this one is no news.
    database?.close();
    return null;
  }
}

/** https://sqlite.org/fileformat2.html#file_format_version_numbers: above 2 is read-only, for ever. */
const WRITE_VERSION = { offset: 18, highest: 2 } as const;

function isReadOnlyByHeader(file: string): boolean {
  if (!existsSync(file)) return false;
  const descriptor = openSync(file, 'r');
  try {
    const version = new Uint8Array(1);
    readSync(descriptor, version, 0, 1, WRITE_VERSION.offset);
    return (version[0] ?? 0) > WRITE_VERSION.highest;
  } finally {
    closeSync(descriptor);
  }
}

function openSound(file: string): DatabaseSync {
  if (isReadOnlyByHeader(file)) throw corrupt(`${file} has a damaged header`);
  const database = new DatabaseSync(file);
  try {
    database.exec(`
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB};
    `);
    const tables = numberOf(database, 'SELECT count(*) FROM sqlite_schema');
    if (tables === 0) createSchema(database);
    else check(database, file);
    // SQLite opens for reading what it may not write, and says so with the first write only.
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The structure of a small store is checked in full, and that of any store which was once found
 * damaged. Of a large one only its size: to read all of it takes minutes from an SD card, and damage
 * is noticed when a row is read.
 */
function check(database: DatabaseSync, file: string): void {
  if (numberOf(database, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw corrupt(`${file} is not an outbox`);
  }
  const version = numberOf(database, 'PRAGMA user_version');
  const isOurs = hasSchema(database);
  if (version > SCHEMA_VERSION && !isOurs) {
    const message = `${file} was written by a newer agent (version ${version}): update this one`;
    throw new Failure('outbox-newer', message, { retry: 'never' });
  }
  const isOlder = OLDER_VERSIONS.has(version) && !isOurs;
  if (!isOlder && !(isOurs && version === SCHEMA_VERSION)) {
    throw corrupt(`${file} has other tables than its version`);
  }
  checkStructure(database, file);
  if (isOlder) upgradeSchema(database);
  if (contradictsItself(database)) throw corrupt(`${file} contradicts itself`);
}

function checkStructure(database: DatabaseSync, file: string): void {
  const isSuspect = existsSync(file + SUSPECT);
  if (isSuspect || statSync(file).size <= CHECKED_BYTES) {
    const [found] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
    if (found !== 'ok') throw corrupt(`${file} is corrupt: ${String(found)}`);
  }
  if (isSuspect) throw corrupt(`${file} has rows that are not as they were written`);
}

/** What no disk that recovers can mend: a path that leads through a file, or is none. */
const NO_FOLDER: ReadonlySet<unknown> = new Set(['EEXIST', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

/** @throws Failure `folder-unusable` where it is none; another error where it cannot be made now */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_FOLDER.has(error.code))) throw error;
    const message = `cannot use ${folder}: ${error.message}; name a folder as dataDir`;
    throw new Failure('folder-unusable', message, { retry: 'never', cause: error });
  }
}

/** Marks a store in which damage was found while it was in use; the next opening sets it aside. */
export function suspect(folder: string): void {
  closeSync(openSync(join(folder, NAME + SUSPECT), 'a'));
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
  rmSync(file + SUSPECT, { force: true });
  return aside;
}

/** Primary result codes of SQLite, https://sqlite.org/rescode.html */
const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;
/**
 * What only damage brings about: besides the obvious, a row number that is taken, and a table or
 * format that is not there, since our statements are always the same.
 */
const DAMAGED: ReadonlySet<number> = new Set([
  SQLITE_ERROR,
  SQLITE_CORRUPT,
  SQLITE_CONSTRAINT,
  SQLITE_NOTADB,
]);

/** What SQLite threw, as a failure that says what to do. */
export function outboxFailure(error: unknown, file: string): Failure {
  if (error instanceof Failure) return error;
  const result = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  if (DAMAGED.has(result)) {
    return new Failure('outbox-corrupt', `${file} is corrupt: ${messageOf(error)}`, {
      retry: 'never',
      cause: error,
    });
  }
  const message = `cannot write ${file}: ${messageOf(error)}; check permissions and free disk`;
  return new Failure('outbox-unwritable', message, { retry: 'later', cause: error });
}
