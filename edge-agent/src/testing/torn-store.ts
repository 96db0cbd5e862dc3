import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Failure } from '#shared/failure.ts';
import { binId } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Entry } from '../outbox/entry.ts';
import { Outbox } from '../outbox/outbox.ts';
import { entry, reading } from './entries.ts';

/** A disk in memory where there is one: thousands of stores are opened, and none need last. */
const DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const BINS = ['a1', 'b2', 'c3'];
const CHECKPOINTED = 90;
const COMMITS = 8;
const GROUP = 3;
/** Readings that carry a gap record, in the shape that has some. */
const GAP_EVERY = 4;

/** What a disk holds of an outbox. */
export interface Image {
  readonly database: Buffer;
  readonly journal: Buffer;
}

/** What is committed: readings by their numbers, from one that was not trimmed up to one. */
interface Committed {
  readonly from: number;
  readonly to: number;
  readonly gaps: number;
}

/** An outbox as a power cut may find it. */
export interface Shape extends Image {
  readonly name: string;
  /** The database before its journal was written into it, where a power cut may have met that. */
  readonly before: Buffer | null;
  /** How long the journal was after each commit, and what was committed by then. */
  readonly durable: readonly (Committed & { readonly bytes: number })[];
}

const binOf = (n: number): string => BINS[n % BINS.length] ?? '';

function numbered(n: number, withGaps: boolean): Entry {
  const own = entry(n, binOf(n));
  const { bin, at } = own.reading;
  const gap: Gap = { bin, from: at - 900, to: at - 100, count: 2, why: 'dropped' };
  return withGaps && n % GAP_EVERY === 0 ? { ...own, gap } : own;
}

interface Making {
  readonly name: string;
  /** Readings that are in the database before the journal begins. */
  readonly first: number;
  readonly withGaps?: boolean;
  readonly trims?: boolean;
  readonly checkpoints?: boolean;
}

const MAKINGS: readonly Making[] = [
  { name: 'all in the journal', first: 0 },
  { name: 'half in the journal', first: CHECKPOINTED },
  { name: 'with gap records', first: CHECKPOINTED, withGaps: true },
  { name: 'while receipts trim it', first: CHECKPOINTED, withGaps: true, trims: true },
  { name: 'while the journal is written into it', first: CHECKPOINTED, checkpoints: true },
];

const fileOf = (folder: string): string => join(folder, 'outbox.sqlite');

/** Every shape of the journal that a power cut may find. */
export function shapes(): Shape[] {
  return MAKINGS.map((making) => inFolder((folder) => shapeOf(folder, making)));
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(DISK, 'torn-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function shapeOf(folder: string, making: Making): Shape {
  const { name, first, withGaps = false, trims = false, checkpoints = false } = making;
  const made = (from: number, to: number): Entry[] =>
    Array.from({ length: to - from }, (_, n) => numbered(from + n, withGaps));
  const gapsIn = (from: number, to: number): number =>
    made(from, to).filter(({ gap }) => gap !== null).length;
  const earlier = new Outbox(folder, { stamp: 'x' });
  earlier.append(made(0, first));
  earlier.seal(5, 20);
  earlier.close();
  const before = readFileSync(fileOf(folder));
  const outbox = new Outbox(folder, { stamp: 'x' });
  const durable = [{ bytes: 0, from: 0, to: first, gaps: gapsIn(0, first) }];
  let from = 0;
  const note = (to: number): void => {
    const { length } = readFileSync(`${fileOf(folder)}-wal`);
    durable.push({ bytes: length, from, to, gaps: gapsIn(from, to) });
  };
  for (let n = 0; n < COMMITS; n += 1) {
    const to = first + (n + 1) * GROUP;
    outbox.append(made(to - GROUP, to));
    note(to);
    const seq = outbox.progress.receipted + 1;
    if (trims && seq <= outbox.progress.sealed) {
      from += outbox.batch(seq).readings.length;
      outbox.trim(seq);
      note(to);
    }
  }
  const journal = readFileSync(`${fileOf(folder)}-wal`);
  if (!checkpoints) {
    const database = readFileSync(fileOf(folder));
    outbox.close();
    return { name, database, journal, before: null, durable };
  }
  outbox.close();
  return { name, database: readFileSync(fileOf(folder)), journal, before, durable };
}

/** What may be found of a shape whose last write ended `bytes` before its end. */
export function cutAt(shape: Shape, bytes: number): { image: Image; committed: Committed } {
  const { database, journal, before, durable } = shape;
  const newest = durable.at(-1) ?? { from: 0, to: 0, gaps: 0 };
  if (before !== null) {
    const place = database.length - bytes;
    const torn = Buffer.concat([database.subarray(0, place), before.subarray(place)]);
    return { image: { database: torn, journal }, committed: newest };
  }
  const place = journal.length - bytes;
  const committed = durable.findLast((each) => each.bytes <= place) ?? newest;
  return { image: { database, journal: journal.subarray(0, place) }, committed };
}

/** A shape with one bit flipped, counted from the start of the database to the end of the journal. */
export function flippedAt({ database, journal }: Image, place: number): Image {
  const both = Buffer.concat([database, journal]);
  both[place] = (both[place] ?? 0) ^ (1 << ((place * 7) % 8));
  return { database: both.subarray(0, database.length), journal: both.subarray(database.length) };
}

/** What an agent finds of an image, however often it has to start. */
export interface Found {
  readonly readings: readonly Reading[];
  readonly gaps: readonly Gap[];
  /** Whether starting again and again did not help. */
  readonly isCrashLoop: boolean;
}

/** An agent whose store is damaged ends, and is started again, so often. */
const STARTS = 4;

export function foundIn(image: Image): Found {
  return inFolder((folder) => {
    writeFileSync(fileOf(folder), image.database);
    if (image.journal.length > 0) writeFileSync(`${fileOf(folder)}-wal`, image.journal);
    for (let start = 0; start < STARTS; start += 1) {
      let outbox: Outbox | null = null;
      try {
        outbox = new Outbox(folder, { stamp: `x${start}`, bins: BINS.map(binId) });
        return { ...contentsOf(outbox), isCrashLoop: false };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      } finally {
        outbox?.close();
      }
    }
    return { readings: [], gaps: [], isCrashLoop: true };
  });
}

function contentsOf(outbox: Outbox): { readings: Reading[]; gaps: Gap[] } {
  outbox.seal(10_000, 50);
  const { receipted, sealed } = outbox.progress;
  const readings: Reading[] = [];
  const gaps: Gap[] = [];
  for (let seq = receipted + 1; seq <= sealed; seq += 1) {
    const batch = outbox.batch(seq);
    readings.push(...batch.readings);
    gaps.push(...batch.gaps);
  }
  return { readings, gaps };
}

/** How what was found differs from what was committed. */
export interface Difference {
  /** Committed readings and gap records that are missing. */
  readonly lost: number;
  /** Readings that nobody wrote so. */
  readonly wrong: number;
  /** Lost readings that no gap record speaks of. */
  readonly unaccounted: number;
}

export function differenceOf(found: Found, { from, to, gaps }: Committed): Difference {
  const numbers = found.readings.map(({ value }) => (value ?? 0) - 5_000);
  const wrong = found.readings.filter((each, place) => {
    const number = numbers[place] ?? 0;
    return !isDeepStrictEqual(each, reading(number, binOf(number)));
  }).length;
  const there = new Set(numbers);
  const repeated = numbers.length - there.size;
  const missing = Array.from({ length: to - from }, (_, n) => from + n).filter(
    (number) => !there.has(number),
  ).length;
  const own = found.gaps.filter(({ why }) => why === 'dropped').length;
  const damaged = found.gaps.filter(({ why }) => why === 'damaged');
  const told = damaged.reduce((sum, { count }) => sum + count, 0);
  // With the end of the journal nobody knows how many were lost: a stretch of each bin is told of.
  const isOpen = damaged.some(({ count }) => count === 0);
  const unaccounted = isOpen ? 0 : Math.max(0, missing - told);
  return { lost: missing + Math.max(0, gaps - own), wrong: wrong + repeated, unaccounted };
}
