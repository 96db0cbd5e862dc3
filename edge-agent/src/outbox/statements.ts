import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { BinId } from '#shared/ids.ts';
import type { GapCause, Quality, Reading } from '#shared/reading.ts';
import type { ReadingUnit } from '#shared/units.ts';

const SQL = {
  store: 'SELECT epoch, receipted, next_row FROM store',
  saveStore: `INSERT INTO store VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE
    SET epoch = excluded.epoch, receipted = excluded.receipted, next_row = excluded.next_row`,
  newest: `SELECT bin, at, value, samples, spread, quality, accounted_to, unconfirmed
    FROM bins`,
  setNewest: `INSERT INTO bins VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (bin) DO UPDATE
    SET at = excluded.at, value = excluded.value, unit = excluded.unit,
      samples = excluded.samples, spread = excluded.spread, quality = excluded.quality,
      accounted_to = excluded.accounted_to, unconfirmed = excluded.unconfirmed
    WHERE excluded.at > bins.at`,
  addReading: 'INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  addGap: 'INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)',
  newestBatch: 'SELECT seq, last_row FROM batches ORDER BY seq DESC LIMIT 1',
  nthUnsealed: 'SELECT row FROM readings WHERE row > ? ORDER BY row LIMIT 1 OFFSET ?',
  addBatch: 'INSERT INTO batches VALUES (?, ?, ?)',
  batch: 'SELECT first_row, last_row FROM batches WHERE seq = ?',
  readings: 'SELECT * FROM readings WHERE row BETWEEN ? AND ? ORDER BY row',
  gaps: 'SELECT * FROM gaps WHERE row BETWEEN ? AND ? ORDER BY row',
  trimReadings: 'DELETE FROM readings WHERE row <= ?',
  trimGaps: 'DELETE FROM gaps WHERE row <= ?',
  trimBatches: 'DELETE FROM batches WHERE seq <= ?',
} as const;

export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

export function prepare(database: DatabaseSync): Statements {
  return Object.fromEntries(
    Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]),
  ) as Statements;
}

/** A row of `bins`. */
export interface BinRow {
  readonly bin: BinId;
  readonly at: number;
  readonly value: number | null;
  readonly samples: number;
  readonly spread: number;
  readonly quality: Quality;
  readonly accounted_to: number;
  readonly unconfirmed: 0 | 1;
}

/** A row of `gaps`. */
export interface GapRow {
  readonly bin: BinId;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly count: number;
  readonly why: GapCause;
}

/** @param row one of `readings`; what was written was a reading, so its words are known ones */
export function readingOf(row: Record<string, unknown>): Reading {
  return {
    bin: row['bin'] as BinId,
    at: row['at'] as number,
    value: row['value'] as number | null,
    unit: row['unit'] as ReadingUnit,
    samples: row['samples'] as number,
    spread: row['spread'] as number,
    quality: row['quality'] as Quality,
    synced: row['synced'] === 1,
  };
}
