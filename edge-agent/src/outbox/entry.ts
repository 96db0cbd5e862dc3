import type { BinId } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { ClockSegment } from '../core/device-clock.ts';
import type { Bins, KnownBin } from './bins.ts';
import type { Clocks, StartedClocks } from './clocks.ts';
import { hashOf, kindOf, sumOf, type StoredRow } from './rows.ts';
import type { Statements } from './statements.ts';

/** A reading on its way into the outbox, with the gap it closes. */
export interface Entry {
  readonly reading: Reading;
  readonly gap: Gap | null;
  /** Up to here every stretch of the bin is accounted for, ms since 1970 UTC. */
  readonly accountedTo: number;
  /** Whether the reading tells of a change that a later one is to confirm. */
  readonly unconfirmed: boolean;
  /** Which clock stamped it; null where not this device's. */
  readonly clock: ClockSegment | null;
}

/** The newest entry of a bin, and where it goes. */
interface Newest {
  readonly known: KnownBin;
  readonly entry: Entry;
  readonly row: number;
  readonly clock: number;
}

/** The rows that entries become. */
export interface Prepared {
  readonly readings: readonly StoredRow[];
  readonly gaps: readonly (readonly [row: number, gap: Gap])[];
  readonly newest: ReadonlyMap<BinId, Newest>;
  /** Clocks that stamped nothing before. */
  readonly clocks: StartedClocks;
  readonly nextRow: number;
}

/**
 * @param entries times of each bin ascending, and after its newest on record
 * @param place.row the row that the first of them gets
 */
export function prepare(
  entries: readonly Entry[],
  place: { readonly row: number; readonly bins: Bins; readonly clocks: Clocks },
): Prepared {
  const { bins, clocks } = place;
  const started = clocks.starting(entries, { row: place.row, floorMs: bins.newestAt });
  const readings: StoredRow[] = [];
  const gaps: [number, Gap][] = [];
  const newest = new Map<BinId, Newest>();
  let { row } = place;
  let { count } = bins;
  for (const entry of entries) {
    const { reading, gap } = entry;
    const { bin, at, value, samples, spread } = reading;
    if (gap !== null) {
      gaps.push([row, gap]);
      row += 1;
    }
    const before = newest.get(bin)?.known ??
      bins.of(bin) ?? { id: (count += 1), bin, hash: hashOf(bin), at: 0 };
    if (at <= before.at) throw new Error(`${bin} at ${at}: not after its newest reading`);
    const clock = clocks.idOf(entry.clock, started);
    const kind = kindOf(reading);
    const sum = sumOf(row, before.hash, at, value, samples, spread, kind, clock);
    readings.push([row, before.id, at, value, samples, spread, kind, clock, sum]);
    newest.set(bin, { known: { ...before, at }, entry, row, clock });
    row += 1;
  }
  return { readings, gaps, newest, clocks: started, nextRow: row };
}

/** To be called in a transaction. */
export function write({ readings, gaps, newest }: Prepared, statements: Statements): void {
  for (const [row, gap] of gaps) writeGap(statements, row, gap);
  for (const stored of readings) statements.addReading.run(...stored);
  for (const { known, entry, row, clock } of newest.values()) {
    const { at, value, unit, samples, spread, quality } = entry.reading;
    const level = [at, value, unit, samples, spread, quality] as const;
    const reported = [entry.accountedTo, entry.unconfirmed ? 1 : 0] as const;
    statements.setNewest.run(known.id, known.bin, ...level, ...reported, row, clock);
  }
}

/** To be called in a transaction. */
export function writeGap(
  { addGap }: Statements,
  row: number,
  { bin, from, to, count, why }: Gap,
): void {
  addGap.run(row, bin, from, to, count, why);
}
