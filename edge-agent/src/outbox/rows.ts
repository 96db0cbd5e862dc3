import type { BinId } from '#shared/ids.ts';
import type { Quality, Reading } from '#shared/reading.ts';
import type { ReadingUnit } from '#shared/units.ts';

/** What stands in the file: numbers are never given anew. */
const QUALITY_CODES: Readonly<Record<Quality, number>> = {
  good: 0,
  unstable: 1,
  overload: 2,
  underload: 3,
  stale: 4,
  'comm-error': 5,
  'config-error': 6,
};
const UNIT_CODES: Readonly<Record<ReadingUnit, number>> = { mg: 0, count: 1, permille: 2 };

const QUALITIES = Object.keys(QUALITY_CODES) as Quality[];
const UNITS = Object.keys(UNIT_CODES) as ReadingUnit[];

/** A row of `readings` as SQLite gives it: row, bin, at, value, samples, spread, kind, clock, sum. */
export type StoredRow = readonly [
  row: number,
  bin: number,
  at: number,
  value: number | null,
  samples: number,
  spread: number,
  kind: number,
  clock: number,
  sum: number,
];

type Kind = Pick<Reading, 'quality' | 'unit' | 'synced'>;

/** Quality, unit and synchronisation in one byte: bits 3 to 6, 1 and 2, 0. */
export function kindOf({ quality, unit, synced }: Kind): number {
  return (QUALITY_CODES[quality] << 3) | (UNIT_CODES[unit] << 1) | (synced ? 1 : 0);
}

const KINDS: readonly (Kind | undefined)[] = Array.from({ length: 128 }, (_, kind) => {
  const quality = QUALITIES[kind >> 3];
  const unit = UNITS[(kind >> 1) & 3];
  return quality === undefined || unit === undefined
    ? undefined
    : { quality, unit, synced: (kind & 1) === 1 };
});

const kindFrom = (kind: number): Kind | undefined => KINDS[kind];

/** Odd, and its bits are as good as random: 2^32 divided by the golden ratio. */
const MULTIPLIER = 0x9e3779b1;

function mixed(hash: number, number: number): number {
  const next = Math.imul(hash ^ number, MULTIPLIER);
  return next ^ (next >>> 15);
}

/** Of a bin's id, so that a damaged id is noticed in every reading of the bin. */
export function hashOf(text: string): number {
  let hash = 0;
  for (let place = 0; place < text.length; place += 1) hash = mixed(hash, text.charCodeAt(place));
  return hash;
}

const HIGH = 4_294_967_296;

/** @returns 15 bits: two bytes in the file, and 1 damage in 32,768 goes unnoticed */
export function sumOf(
  row: number,
  binHash: number,
  at: number,
  value: number | null,
  samples: number,
  spread: number,
  kind: number,
  clock: number,
): number {
  let hash = mixed(mixed(binHash, row), at);
  hash = mixed(hash, Math.floor(at / HIGH));
  hash = value === null ? mixed(hash, 0x5a5a) : mixed(mixed(hash, value), Math.floor(value / HIGH));
  hash = mixed(mixed(mixed(hash, samples), spread), kind | (clock << 7));
  return (hash ^ (hash >>> 16)) & 0x7fff;
}

/**
 * @param shiftMs by how much its time was found to be wrong; null where it was not looked into
 * @returns null where the row is not as it was written
 */
export function readingFrom(
  [row, , at, value, samples, spread, kind, clock, sum]: StoredRow,
  { bin, hash }: { readonly bin: BinId; readonly hash: number },
  shiftMs: number | null,
): Reading | null {
  const words = kindFrom(kind);
  const found = sumOf(row, hash, at, value, samples, spread, kind, clock);
  if (found !== sum || words === undefined) return null;
  const { quality, unit, synced } = words;
  const isShifted = shiftMs !== null;
  return {
    bin,
    at: isShifted ? at + shiftMs : at,
    value,
    unit,
    samples,
    spread,
    quality,
    synced: synced || isShifted,
  };
}
