import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { binId, ID_PATTERN, type BinId } from '#shared/ids.ts';
import type { Gap } from '#shared/reading.ts';
import type { Entry } from './entry.ts';
import { Losses } from './losses.ts';
import { hashOf, readingFrom, type StoredRow } from './rows.ts';
import { SCHEMA_VERSION } from './schema.ts';
import type { ClockRow, GapRow } from './statements.ts';

const GROUP = 1_000;
const END = Number.MAX_SAFE_INTEGER;

export interface Salvaged {
  readonly saved: number;
  /** Readings that are gone; all that is known of them is in gap records. */
  readonly lost: number;
}

interface Sinks {
  /** Called with groups of entries, oldest first. */
  readonly append: (entries: readonly Entry[]) => void;
  /** Called with what was lost. */
  readonly record: (gaps: readonly Gap[]) => void;
}

/**
 * Takes what can still be read, and is as it was written, out of a damaged store that was set aside.
 * It may hold readings that the cloud has: they come twice and count once.
 */
export function salvage(file: string, { append, record }: Sinks): Salvaged {
  let database: DatabaseSync | undefined;
  const losses = new Losses();
  let saved = 0;
  let found: Found | null = null;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== SCHEMA_VERSION) return { saved, lost: 0 };
    found = foundIn(database);
    const entryOf = reader(database, found, losses);
    let group: Entry[] = [];
    const flush = (): void => {
      append(group);
      saved += group.length;
      group = [];
    };
    for (const row of soundRows(database)) {
      if (row === 'hole') losses.hole(found.bins.values());
      const entry = row === 'hole' ? null : entryOf(row);
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
  if (found === null) return { saved, lost: 0 };
  const lost = Math.max(0, found.readings - saved);
  if (lost > 0) losses.hole(losses.isEmpty ? found.bins.values() : []);
  record(losses.gaps(found.newestAt, lost));
  return { saved, lost };
}

/** What a damaged store says of itself. */
interface Found {
  readonly bins: ReadonlyMap<number, BinId>;
  readonly newestAt: ReadonlyMap<BinId, number>;
  /** How many readings it should hold; 0 where it does not say. */
  readonly readings: number;
}

function foundIn(database: DatabaseSync): Found {
  const rows = database.prepare('SELECT id, bin, at FROM bins').all();
  const bins = rows.flatMap(({ id, bin, at }) =>
    ID_PATTERN.test(String(bin))
      ? [{ id: Number(id), bin: binId(String(bin)), at: Number(at) }]
      : [],
  );
  return {
    bins: new Map(bins.map(({ id, bin }) => [id, bin])),
    newestAt: new Map(bins.map(({ bin, at }) => [bin, at])),
    readings: readingsIn(database),
  };
}

function readingsIn(database: DatabaseSync): number {
  try {
    return Number(database.prepare('SELECT readings FROM store').get()?.['readings'] ?? 0);
  } catch {
    return 0;
  }
}

/** Rows from the oldest up to the first damage, then those from the newest back to it, in order. */
function* soundRows(database: DatabaseSync): Generator<StoredRow | 'hole'> {
  const columns = 'SELECT * FROM readings WHERE row > ? AND row < ? ORDER BY row';
  const up = database.prepare(`${columns} LIMIT ?`);
  const down = database.prepare(`${columns} DESC LIMIT ?`);
  let last = 0;
  for (const rows of untilDamage(up, (row) => [row, END], 0)) {
    if (rows === 'damage') yield 'hole';
    else yield* rows;
    if (rows !== 'damage') last = rows.at(-1)?.[0] ?? last;
  }
  const after = last;
  const rest = [...untilDamage(down, (row) => [after, row], END)];
  yield* rest.flatMap((rows) => (rows === 'damage' ? [] : rows)).reverse();
}

function* untilDamage(
  statement: StatementSync,
  range: (row: number) => [number, number],
  start: number,
): Generator<StoredRow[] | 'damage'> {
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
  yield 'damage';
}

function reader(
  database: DatabaseSync,
  { bins }: Found,
  losses: Losses,
): (row: StoredRow) => Entry | null {
  const clocks = database.prepare('SELECT * FROM clocks').all() as unknown as ClockRow[];
  const shifts = new Map(clocks.map((clock) => [clock.id, clock]));
  const gaps = Map.groupBy(gapRows(database), ({ bin }) => bin);
  const newest = new Map<BinId, number>();
  return (stored) => {
    const [row, id, , , , , , clock] = stored;
    const bin = bins.get(id);
    if (bin === undefined) {
      losses.hole(bins.values());
      return null;
    }
    const { shift_ms: shiftMs = 0, shift_from: from = null } = shifts.get(clock) ?? {};
    const isShifted = from !== null && row > from;
    const reading = readingFrom(stored, { bin, hash: hashOf(bin) }, isShifted ? shiftMs : null);
    if (reading === null || reading.at <= (newest.get(bin) ?? 0)) {
      losses.lost(bin);
      return null;
    }
    newest.set(bin, reading.at);
    losses.sound(bin, reading.at);
    return {
      reading,
      gap: gapBefore(gaps.get(bin) ?? [], row),
      accountedTo: reading.at,
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
