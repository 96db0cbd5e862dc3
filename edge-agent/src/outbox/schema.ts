import { DatabaseSync } from 'node:sqlite';
import type { BinId } from '#shared/ids.ts';
import type { Quality } from '#shared/reading.ts';
import type { ReadingUnit } from '#shared/units.ts';
import { hashOf, kindOf, sumOf } from './rows.ts';

/** "OtOb" in the file's header: an outbox of ours, whatever else SQLite can open. */
export const APPLICATION_ID = 0x4f744f62;
export const SCHEMA_VERSION = 2;

/** Versions that {@link upgradeSchema} takes over. */
export const OLDER_VERSIONS: ReadonlySet<number> = new Set([1]);

/**
 * Readings and gaps share one sequence of row numbers, so that a batch is a range of it.
 * `bins` remembers the newest reading of every bin also after its rows were trimmed; `clocks` says
 * for each stretch of a boot what monotonic time its readings had (`at` less `offset_ms`), and by
 * how much rows after `shift_from` were shifted once the true time was known.
 * `sum` is a checksum of a row: SQLite notices a damaged structure, but not a damaged number.
 */
const SCHEMA = `
  CREATE TABLE store (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    epoch     TEXT    NOT NULL,
    receipted INTEGER NOT NULL,
    next_row  INTEGER NOT NULL,
    readings  INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE readings (
    row     INTEGER PRIMARY KEY,
    bin     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    value   INTEGER,
    samples INTEGER NOT NULL,
    spread  INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    clock   INTEGER NOT NULL,
    sum     INTEGER NOT NULL
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
    id           INTEGER PRIMARY KEY,
    bin          TEXT    NOT NULL UNIQUE,
    at           INTEGER NOT NULL,
    value        INTEGER,
    unit         TEXT    NOT NULL,
    samples      INTEGER NOT NULL,
    spread       INTEGER NOT NULL,
    quality      TEXT    NOT NULL,
    accounted_to INTEGER NOT NULL,
    unconfirmed  INTEGER NOT NULL,
    row          INTEGER NOT NULL,
    clock        INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE clocks (
    id         INTEGER PRIMARY KEY,
    boot       TEXT    NOT NULL,
    offset_ms  INTEGER NOT NULL,
    synced     INTEGER NOT NULL,
    first_row  INTEGER NOT NULL,
    floor_ms   INTEGER NOT NULL,
    shift_ms   INTEGER NOT NULL,
    shift_from INTEGER
  ) STRICT;
`;

export function createSchema(database: DatabaseSync): void {
  database.exec(`
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${SCHEMA_VERSION};
    ${SCHEMA}
    COMMIT;
  `);
}

/** Whether the tables are those of {@link createSchema}: a flipped letter in them is damage as well. */
export function hasSchema(database: DatabaseSync): boolean {
  return tablesOf(database) === (ourTables ??= freshTables());
}

let ourTables: string | null = null;

function freshTables(): string {
  const fresh = new DatabaseSync(':memory:');
  try {
    createSchema(fresh);
    return tablesOf(fresh);
  } finally {
    fresh.close();
  }
}

function tablesOf(database: DatabaseSync): string {
  const tables = database.prepare('SELECT name, tbl_name, sql FROM sqlite_schema ORDER BY name');
  return JSON.stringify(tables.all());
}

const OLD_TABLES = ['store', 'readings', 'gaps', 'batches', 'bins'];

/** Takes over a store of version 1, whose rows spelled everything out. All of it or nothing. */
export function upgradeSchema(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const table of OLD_TABLES) database.exec(`ALTER TABLE ${table} RENAME TO old_${table}`);
    database.exec(`
      ${SCHEMA}
      INSERT INTO gaps SELECT * FROM old_gaps;
      INSERT INTO batches SELECT * FROM old_batches;
      INSERT INTO store SELECT *, (SELECT count(*) FROM old_readings) FROM old_store;
      INSERT INTO bins (bin, at, value, unit, samples, spread, quality, accounted_to, unconfirmed,
          row, clock)
        SELECT bin, at, value, unit, samples, spread, quality, accounted_to, unconfirmed, 0, 0
        FROM old_bins;
    `);
    takeReadings(database);
    for (const table of OLD_TABLES) database.exec(`DROP TABLE old_${table}`);
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  // Only now can the file shrink again after it grew.
  database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
}

interface OldReading {
  readonly row: number;
  readonly id: number;
  readonly bin: BinId;
  readonly at: number;
  readonly value: number | null;
  readonly unit: ReadingUnit;
  readonly samples: number;
  readonly spread: number;
  readonly quality: Quality;
  readonly synced: 0 | 1;
}

function takeReadings(database: DatabaseSync): void {
  const old = database.prepare(
    'SELECT old_readings.*, bins.id FROM old_readings JOIN bins USING (bin) ORDER BY row',
  );
  const add = database.prepare('INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  for (const found of old.iterate()) {
    const reading = found as unknown as OldReading;
    const { row, id, bin, at, value, samples, spread } = reading;
    const kind = kindOf({ ...reading, synced: reading.synced === 1 });
    const sum = sumOf(row, hashOf(bin), at, value, samples, spread, kind, 0);
    add.run(row, id, at, value, samples, spread, kind, 0, sum);
  }
}

const CONTRADICTIONS = `
  SELECT count(*) AS count FROM (
    SELECT 1 FROM (
      SELECT first_row, last_row, seq - lag(seq, 1, receipted) OVER by_seq AS step, next_row,
        first_row - lag(last_row) OVER by_seq AS gap
      FROM batches, store WINDOW by_seq AS (ORDER BY seq)
    ) WHERE step <> 1 OR gap <> 1 OR last_row < first_row OR last_row >= next_row
    UNION ALL
    SELECT 1 FROM (SELECT min(first_row) AS first FROM batches)
      WHERE first > (SELECT min(row) FROM readings)
    UNION ALL
    SELECT 1 FROM bins JOIN readings USING (row) LEFT JOIN clocks ON clocks.id = readings.clock
      WHERE bins.id <> readings.bin OR bins.value IS NOT readings.value
        OR bins.at <> readings.at + iif(row > shift_from, shift_ms, 0)
  )`;

/**
 * Batches follow each other without a gap from the oldest that is not receipted, end before the next
 * row and leave no row before them; and the newest reading of a bin is the one in its row. Only rows
 * of readings have checksums: this notices a flipped number in the other tables.
 */
export function contradictsItself(database: DatabaseSync): boolean {
  return Number(database.prepare(CONTRADICTIONS).get()?.['count']) > 0;
}
