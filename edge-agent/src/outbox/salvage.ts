import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { BinId } from '#shared/ids.ts';
import type { Gap } from '#shared/reading.ts';
import { hashOf, kindFrom, sumOf, type StoredRow } from './rows.ts';
import type { Entry } from './outbox.ts';
import { SCHEMA_VERSION } from './schema.ts';
import type { ClockRow, GapRow } from './statements.ts';

const GROUP = 1_000;
const END = Number.MAX_SAFE_INTEGER;

/**
 * Takes what can still be read, and is as it was written, out of a damaged store that was set aside.
 * It may hold readings that the cloud has: they come twice and count once.
 * @param append called with groups of entries, oldest first
 * @returns how many readings were saved
 */
export function salvage(file: string, append: (entries: readonly Entry[]) => void): number {
  let database: DatabaseSync | undefined;
  let saved = 0;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== SCHEMA_VERSION) return 0;
    const entryOf = reader(database);
    let group: Entry[] = [];
    const flush = (): void => {
      append(group);
      saved += group.length;
      group = [];
    };
    for (const row of soundRows(database)) {
      const entry = entryOf(row);
      if (entry !== null) group.push(entry);
      if (group.length >= GROUP) flush();
    }
    flush();
  } catch (error) {
    // What SQLite cannot read is the reason why we are here; what we cannot write is a fault.
    const isSqlite = error instanceof Error && 'errcode' in error;
    if (!isSqlite) throw error;
  } finally {
    database?.close();
  }
  return saved;
}

/** Rows from the oldest up to the first damage, then those from the newest back to it, in order. */
function* soundRows(database: DatabaseSync): Generator<StoredRow> {
  const columns = 'SELECT * FROM readings WHERE row > ? AND row < ? ORDER BY row';
  const up = database.prepare(`${columns} LIMIT ?`);
  const down = database.prepare(`${columns} DESC LIMIT ?`);
  let last = 0;
  for (const rows of untilDamage(up, (row) => [row, END], 0)) {
    last = rows.at(-1)?.[0] ?? last;
    yield* rows;
  }
  const after = last;
  const rest = [...untilDamage(down, (row) => [after, row], END)].flat();
  yield* rest.reverse();
}

function* untilDamage(
  statement: StatementSync,
  range: (row: number) => [number, number],
  start: number,
): Generator<StoredRow[]> {
  statement.setReturnArrays(true);
  let row = start;
  for (let size = GROUP; size >= 1;) {
    try {
      const rows = statement.all(...range(row), size) as unknown as StoredRow[];
      if (rows.length === 0) return;
      row = rows.at(-1)?.[0] ?? row;
      yield rows;
    } catch {
      // Closer and closer to the damage.
      size = Math.floor(size / 2);
    }
  }
}

function reader(database: DatabaseSync): (row: StoredRow) => Entry | null {
  const bins = new Map(
    database
      .prepare('SELECT id, bin FROM bins')
      .all()
      .map((bin) => [Number(bin['id']), String(bin['bin']) as BinId]),
  );
  const clocks = database.prepare('SELECT * FROM clocks').all() as unknown as ClockRow[];
  const shifts = new Map(clocks.map((clock) => [clock.id, clock]));
  const gaps = Map.groupBy(gapRows(database), ({ bin }) => bin);
  const newest = new Map<BinId, number>();
  return ([row, id, at, value, samples, spread, kind, clock, sum]) => {
    const bin = bins.get(id);
    const words = kindFrom(kind);
    if (bin === undefined || words === undefined) return null;
    if (sumOf(row, hashOf(bin), at, value, samples, spread, kind, clock) !== sum) return null;
    const { shift_ms: shiftMs = 0, shift_from: from = null } = shifts.get(clock) ?? {};
    const isShifted = from !== null && row > from;
    const time = isShifted ? at + shiftMs : at;
    if (time <= (newest.get(bin) ?? 0)) return null;
    newest.set(bin, time);
    const synced = words.synced || isShifted;
    return {
      reading: { bin, at: time, value, samples, spread, ...words, synced },
      gap: gapBefore(gaps.get(bin) ?? [], row),
      accountedTo: time,
      unconfirmed: false,
      clock: null,
    };
  };
}

function gapRows(database: DatabaseSync): GapRow[] {
  try {
    return database.prepare('SELECT * FROM gaps ORDER BY row').all() as unknown as GapRow[];
  } catch {
    return [];
  }
}

/** Takes the bin's records up to a row, as one. */
function gapBefore(gaps: GapRow[], row: number): Gap | null {
  const taken = gaps.splice(0, gaps.findLastIndex((gap) => gap.row < row) + 1);
  const [first] = taken;
  if (first === undefined) return null;
  return {
    bin: first.bin,
    from: Math.min(...taken.map((gap) => gap.from_ms)),
    to: Math.max(...taken.map((gap) => gap.to_ms)),
    count: taken.reduce((sum, gap) => sum + gap.count, 0),
    why: taken.find(({ count }) => count > 0)?.why ?? first.why,
  };
}
