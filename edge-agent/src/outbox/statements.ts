import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { BinId } from '#shared/ids.ts';
import type { GapCause, Quality } from '#shared/reading.ts';

/** The time that a row bears, its clock's shift included. */
const AT = 'readings.at + iif(readings.row > shift_from, shift_ms, 0)';

/**
 * Rows that can bear no time once time goes back: further ahead than the cloud takes, or of an
 * earlier boot, not sealed, and yet not before the first of this one.
 */
const AHEAD = `FROM readings LEFT JOIN clocks ON clocks.id = readings.clock
    WHERE ${AT} > $limit OR (boot <> $boot AND readings.row > $sealed AND ${AT} >= $first)`;

const SQL = {
  store: 'SELECT epoch, receipted, next_row, readings FROM store',
  saveStore: `INSERT INTO store VALUES (1, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE
    SET epoch = excluded.epoch, receipted = excluded.receipted, next_row = excluded.next_row,
      readings = excluded.readings`,
  oldestRow: `SELECT min(row) AS row FROM
    (SELECT min(row) AS row FROM readings UNION ALL SELECT min(row) FROM gaps)`,
  newestRow: `SELECT max(row) AS row FROM
    (SELECT max(row) AS row FROM readings UNION ALL SELECT max(row) FROM gaps)`,
  bins: 'SELECT * FROM bins ORDER BY id',
  setNewest: `INSERT INTO bins VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id)
    DO UPDATE SET at = excluded.at, value = excluded.value, unit = excluded.unit,
      samples = excluded.samples, spread = excluded.spread, quality = excluded.quality,
      accounted_to = excluded.accounted_to, unconfirmed = excluded.unconfirmed,
      row = excluded.row, clock = excluded.clock`,
  clocks: 'SELECT * FROM clocks ORDER BY id',
  addClock: 'INSERT INTO clocks VALUES (?, ?, ?, ?, ?, ?, 0, NULL)',
  shiftClock: 'UPDATE clocks SET shift_ms = ?, shift_from = ? WHERE id = ?',
  firstOfClock: `SELECT min(at) AS at FROM (SELECT at FROM readings
    WHERE row > ? AND clock = ? ORDER BY row LIMIT 1000)`,
  shiftBins: `UPDATE bins SET at = at + $shift,
      accounted_to = accounted_to + iif(accounted_to >= $first, $shift, 0)
    WHERE clock = $clock AND row > $sealed`,
  shiftGaps: `UPDATE gaps SET to_ms = to_ms + $shift,
      from_ms = from_ms + iif(from_ms >= $first, $shift, 0)
    WHERE row > $sealed AND row >= $firstRow AND to_ms >= $first`,
  clockOf: 'SELECT clock, at FROM readings WHERE row <= ? ORDER BY row DESC LIMIT 1',
  raiseFloor: 'UPDATE clocks SET floor_ms = max(floor_ms, ?) WHERE id = ?',
  // Of a clock that has none of its rows receipted, the floor is no more than a record's time.
  receiptedAt: `SELECT max(floor_ms) AS at FROM clocks WHERE floor_ms <= ?
    AND first_row < coalesce((SELECT min(row) FROM readings), first_row + 1)`,
  sealedAt: `SELECT max(at) AS at FROM (SELECT ${AT} AS at
    FROM readings JOIN clocks ON clocks.id = readings.clock
    WHERE readings.row <= $sealed AND boot <> $boot) WHERE at <= $limit`,
  firstOfBoot: `SELECT min(readings.at - offset_ms) AS at
    FROM readings JOIN clocks ON clocks.id = readings.clock WHERE boot = ?`,
  ownClocks: 'SELECT * FROM clocks WHERE boot = ? ORDER BY id',
  newestOfClock: 'SELECT max(at) AS at FROM readings WHERE clock = ?',
  binsFromRows: `UPDATE bins SET at = found.at, accounted_to = max(1, accounted_to + found.at - bins.at)
    FROM (SELECT readings.row, ${AT} AS at
      FROM readings LEFT JOIN clocks ON clocks.id = readings.clock) AS found
    WHERE found.row = bins.row`,
  firstAhead: `SELECT readings.row FROM readings LEFT JOIN clocks ON clocks.id = readings.clock
    WHERE readings.row > ? AND ${AT} > ? ORDER BY readings.row LIMIT 1`,
  aheadByBin: `SELECT readings.bin, count(*) AS count ${AHEAD} GROUP BY readings.bin`,
  loseNewest: `UPDATE bins SET row = 0
    WHERE at > $limit OR row IN (SELECT readings.row ${AHEAD})`,
  turnBins: `UPDATE bins SET accounted_to = $now, at = max($at, coalesce((SELECT max(${AT})
      FROM readings LEFT JOIN clocks ON clocks.id = readings.clock
      WHERE readings.bin = bins.id), 0))
    WHERE row = 0 AND at > $at`,
  removeAhead: `DELETE FROM readings WHERE row IN (SELECT readings.row ${AHEAD})`,
  clampGaps: `UPDATE gaps SET from_ms = min(from_ms, $now), to_ms = min(to_ms, $now)
    WHERE to_ms > $limit`,
  addReading: 'INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  addGap: 'INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)',
  newestBatch: 'SELECT seq, last_row FROM batches ORDER BY seq DESC LIMIT 1',
  nthUnsealed: 'SELECT row FROM readings WHERE row > ? AND row <= ? ORDER BY row LIMIT 1 OFFSET ?',
  addBatch: 'INSERT INTO batches VALUES (?, ?, ?)',
  batch: 'SELECT first_row, last_row FROM batches WHERE seq = ?',
  readings: 'SELECT * FROM readings WHERE row BETWEEN ? AND ? ORDER BY row',
  oldest: 'SELECT * FROM readings WHERE row > ? AND row < ? ORDER BY row LIMIT ?',
  gaps: 'SELECT * FROM gaps WHERE row BETWEEN ? AND ? ORDER BY row',
  countTo: 'SELECT count(*) AS count FROM readings WHERE row <= ?',
  trimReadings: 'DELETE FROM readings WHERE row <= ?',
  trimGaps: 'DELETE FROM gaps WHERE row <= ?',
  trimBatches: 'DELETE FROM batches WHERE seq <= ?',
  removeReadings: 'DELETE FROM readings WHERE row BETWEEN ? AND ?',
  removeGap: 'DELETE FROM gaps WHERE row = ?',
  pages: `SELECT page_count, freelist_count, page_size
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
} as const;

export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

export function prepare(database: DatabaseSync): Statements {
  const statements = Object.fromEntries(
    Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]),
  ) as Statements;
  // Rows by the thousand come as arrays: half the time of objects.
  statements.readings.setReturnArrays(true);
  statements.oldest.setReturnArrays(true);
  return statements;
}

/** A row of `bins`: the newest reading of the bin. */
export interface BinRow {
  readonly id: number;
  readonly bin: BinId;
  readonly at: number;
  readonly value: number | null;
  readonly unit: string;
  readonly samples: number;
  readonly spread: number;
  readonly quality: Quality;
  readonly accounted_to: number;
  readonly unconfirmed: 0 | 1;
  readonly row: number;
  readonly clock: number;
}

/** A row of `gaps`. */
export interface GapRow {
  readonly row: number;
  readonly bin: BinId;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly count: number;
  readonly why: GapCause;
}

/** A row of `clocks`. */
export interface ClockRow {
  readonly id: number;
  readonly boot: string;
  readonly offset_ms: number;
  readonly synced: 0 | 1;
  readonly first_row: number;
  readonly floor_ms: number;
  readonly shift_ms: number;
  /** Rows after this one are shifted; null while the true time is not known, or always was. */
  readonly shift_from: number | null;
}
