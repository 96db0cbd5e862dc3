import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Failure, messageOf, type Retry } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import type { Quality, Reading } from '#shared/reading.ts';
import type { ReadingUnit } from '#shared/units.ts';
import type { AppendOutcome, ReadingsStore, TimeRange } from './store.ts';

/**
 * Opens the readings in an SQLite file, or makes it. This process has it alone.
 * @throws Failure `readings-in-use`, `readings-unavailable` or `readings-corrupt`; the file is never
 *   deleted
 */
export function openSqliteReadings(file: string): ReadingsStore {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    prepareFile(database, file);
    return new SqliteReadings(file, database);
  } catch (error) {
    database?.close();
    throw faultOf(file, error);
  }
}

/** `PRAGMA user_version` of the file's layout. */
const LAYOUT = 1;

function prepareFile(database: DatabaseSync, file: string): void {
  // Synchronous=FULL: agents delete what is receipted, so what is appended is on the disk.
  database.exec('pragma locking_mode = exclusive; pragma journal_mode = wal');
  database.exec('pragma synchronous = full');
  // Every bin grows at a page of its own: room for 16,384 of them, in memory and between two
  // checkpoints, is 5 µs of CPU a row rather than 12 with 500 bins in one append.
  database.exec('pragma cache_size = -65536; pragma wal_autocheckpoint = 16384');
  const layout = Number(database.prepare('pragma user_version').get()?.['user_version']);
  if (layout > LAYOUT) {
    const message = `${file}: written by a newer version (layout ${layout}); run that version`;
    throw new Failure('readings-unavailable', message, { retry: 'never' });
  }
  if (layout === LAYOUT) return;
  database.exec(`begin immediate;
    create table bin (number integer primary key, id text not null unique) strict;
    create table reading (
      bin integer not null references bin,
      at integer not null,
      value integer,
      unit integer not null,
      samples integer not null,
      spread integer not null,
      quality integer not null,
      synced integer not null,
      primary key (bin, at)
    ) strict, without rowid;
    pragma user_version = ${LAYOUT};
    commit`);
}

/** What stands in the file for units and qualities; never to be changed, only added to. */
const UNIT_CODES: Readonly<Record<ReadingUnit, number>> = { mg: 0, count: 1, permille: 2 };
const QUALITY_CODES: Readonly<Record<Quality, number>> = {
  good: 0,
  unstable: 1,
  overload: 2,
  underload: 3,
  stale: 4,
  'comm-error': 5,
  'config-error': 6,
};
const UNITS = inverse(UNIT_CODES);
const QUALITIES = inverse(QUALITY_CODES);

function inverse<Name extends string>(codes: Readonly<Record<Name, number>>): Map<number, Name> {
  return new Map(Object.entries<number>(codes).map(([name, code]) => [code, name as Name]));
}

/** Columns of a row after its bin, as they are bound and as they come back. */
type Row = readonly [
  at: number,
  value: number | null,
  unit: number,
  samples: number,
  spread: number,
  quality: number,
  synced: number,
];
const COLUMNS = 'at, value, unit, samples, spread, quality, synced';

/** Keeps a chunk's memory small and the event loop's pauses short: 1,000 rows take about 1 ms. */
const CHUNK = 1_000;

class SqliteReadings implements ReadingsStore {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #numbers = new Map<BinId, number>();
  readonly #insert: StatementSync;
  readonly #insertBin: StatementSync;
  readonly #one: StatementSync;
  readonly #range: StatementSync;
  readonly #newest: StatementSync;
  readonly #count: StatementSync;

  constructor(file: string, database: DatabaseSync) {
    this.#file = file;
    this.#database = database;
    for (const { number, id } of database.prepare('select number, id from bin').iterate()) {
      this.#numbers.set(id as BinId, number as number);
    }
    const rows = (text: string): StatementSync => {
      const statement = database.prepare(text);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#insert = database.prepare(
      `insert into reading (bin, ${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)
       on conflict do nothing`,
    );
    this.#insertBin = database.prepare('insert into bin (id) values (?)');
    this.#one = rows(`select ${COLUMNS} from reading where bin = ? and at = ?`);
    this.#range = rows(
      `select ${COLUMNS} from reading where bin = ? and at >= ? and at < ? order by at limit ?`,
    );
    this.#newest = rows(
      `select ${COLUMNS} from reading where bin = ? and at < ? order by at desc limit 1`,
    );
    this.#count = rows('select count(*) from reading where bin = ? and at >= ? and at < ?');
  }

  async append(readings: readonly Reading[]): Promise<readonly AppendOutcome[]> {
    if (readings.length === 0) return [];
    return this.#guarded(() => {
      const fresh: BinId[] = [];
      this.#database.exec('begin immediate');
      try {
        const outcomes = readings.map((reading) => this.#appendOne(reading, fresh));
        this.#database.exec('commit');
        return outcomes;
      } catch (error) {
        for (const bin of fresh) this.#numbers.delete(bin);
        if (this.#database.isTransaction) this.#database.exec('rollback');
        throw error;
      }
    });
  }

  /** @param fresh gets the bin where this is its first reading */
  #appendOne(reading: Reading, fresh: BinId[]): AppendOutcome {
    const { bin, at } = reading;
    let number = this.#numbers.get(bin);
    if (number === undefined) {
      number = Number(this.#insertBin.run(bin).lastInsertRowid);
      this.#numbers.set(bin, number);
      fresh.push(bin);
    }
    const row = rowOf(reading);
    if (this.#insert.run(number, ...row).changes === 1) return 'stored';
    const stored = this.#one.get(number, at) as unknown as Row;
    return stored.every((cell, index) => cell === row[index]) ? 'duplicate' : 'conflict';
  }

  async *read(
    bin: BinId,
    { from, to, limit = Infinity }: TimeRange & { readonly limit?: number },
  ): AsyncGenerator<readonly Reading[]> {
    const number = this.#numbers.get(bin);
    if (number === undefined) return;
    let start = from;
    let left = limit;
    while (left > 0) {
      const size = Math.min(CHUNK, left);
      const chunk = this.#guarded(() =>
        (this.#range.all(number, start, to, size) as unknown as Row[]).map((row) =>
          readingOf(bin, row),
        ),
      );
      const last = chunk.at(-1);
      if (last === undefined) return;
      yield chunk;
      if (chunk.length < size) return;
      start = last.at + 1;
      left -= size;
    }
  }

  async newest(
    bins: readonly BinId[],
    before: number = Number.MAX_SAFE_INTEGER,
  ): Promise<ReadonlyMap<BinId, Reading>> {
    return this.#guarded(() => {
      const newest = new Map<BinId, Reading>();
      for (const bin of bins) {
        const number = this.#numbers.get(bin);
        const row = number === undefined ? undefined : this.#newest.get(number, before);
        if (row !== undefined) newest.set(bin, readingOf(bin, row as unknown as Row));
      }
      return newest;
    });
  }

  async count(bin: BinId, { from, to }: TimeRange): Promise<number> {
    const number = this.#numbers.get(bin);
    if (number === undefined) return 0;
    return this.#guarded(() => {
      const [count] = this.#count.get(number, from, to) as unknown as [number];
      return count;
    });
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw faultOf(this.#file, error);
    }
  }
}

function rowOf({ at, value, unit, samples, spread, quality, synced }: Reading): Row {
  const codes = { unit: UNIT_CODES[unit], quality: QUALITY_CODES[quality] };
  return [at, value, codes.unit, samples, spread, codes.quality, synced ? 1 : 0];
}

function readingOf(bin: BinId, row: Row): Reading {
  const [at, value, unitCode, samples, spread, qualityCode, synced] = row;
  const unit = UNITS.get(unitCode);
  const quality = QUALITIES.get(qualityCode);
  if (unit === undefined || quality === undefined) {
    const message = `reading of ${bin} at ${at} has unit ${unitCode} and quality ${qualityCode}`;
    throw new Failure('readings-corrupt', message, { retry: 'never' });
  }
  return { bin, at, value, unit, samples, spread, quality, synced: synced === 1 };
}

/** Primary result codes, https://www.sqlite.org/rescode.html */
const FAULTS: Readonly<Record<number, { code: string; retry: Retry; advice: string }>> = {
  5: { code: 'readings-in-use', retry: 'never', advice: 'stop the other process that uses it' },
  10: { code: 'readings-unavailable', retry: 'later', advice: 'see to the disk' },
  11: { code: 'readings-corrupt', retry: 'never', advice: 'restore it from a backup' },
  13: { code: 'readings-unavailable', retry: 'later', advice: 'make room on the disk' },
  14: { code: 'readings-unavailable', retry: 'never', advice: 'see to folder and permissions' },
  26: { code: 'readings-corrupt', retry: 'never', advice: 'restore it from a backup' },
};
const OTHER_FAULT = { code: 'readings-unavailable', retry: 'later', advice: 'restart the program' };

/** Too big, constraint, mismatch, range: no fault of the store, and the same however often tried. */
const STATEMENT_FAULTS: ReadonlySet<number> = new Set([18, 19, 20, 25]);

function faultOf(file: string, error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof Error) || !('errcode' in error)) return error;
  // The low byte of an extended result code is the primary one.
  const result = Number(error.errcode) & 0xff;
  if (STATEMENT_FAULTS.has(result)) return error;
  const { code, retry, advice } = FAULTS[result] ?? OTHER_FAULT;
  const message = `${file}: ${messageOf(error)}; ${advice}`;
  return new Failure(code, message, { retry: retry as Retry, cause: error });
}
