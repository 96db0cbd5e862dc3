import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '#shared/failure.ts';
import { entries } from '../testing/entries.ts';
import { Outbox } from './outbox.ts';

/** A disk in memory where there is one: thousands of stores are opened, and none need last. */
const DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** 1 cuts at every byte: it takes a minute and finds nothing else, since frames count as wholes. */
const CUT_BYTES = 5;
const CHECKPOINTED = 120;
const COMMITS = 10;
const GROUP = 3;

interface Image {
  readonly database: Buffer;
  readonly journal: Buffer;
  /** Bytes of the journal after each commit, and readings committed by then. */
  readonly durable: readonly { readonly bytes: number; readonly readings: number }[];
}

let root = '';
let image: Image;

const store = (folder: string): string => join(folder, 'outbox.sqlite');

/** Half of the readings are in the database, half still in the journal, as a power cut finds it. */
beforeAll(() => {
  root = mkdtempSync(join(DISK, 'torn-'));
  const folder = join(root, 'whole');
  const first = new Outbox(folder, { stamp: 'x' });
  first.append(entries(0, CHECKPOINTED - 1));
  first.close();
  const outbox = new Outbox(folder, { stamp: 'x' });
  const durable = [{ bytes: 0, readings: CHECKPOINTED }];
  for (let n = 0; n < COMMITS; n += 1) {
    const from = CHECKPOINTED + n * GROUP;
    outbox.append(entries(from, from + GROUP - 1));
    const { length } = readFileSync(`${store(folder)}-wal`);
    durable.push({ bytes: length, readings: from + GROUP });
  }
  const database = readFileSync(store(folder));
  const journal = readFileSync(`${store(folder)}-wal`);
  image = { database, journal, durable };
  outbox.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Found {
  /** Which of the readings were found, by their number. */
  readonly numbers: readonly number[];
  readonly isReported: boolean;
}

function allOf(outbox: Outbox): number[] {
  outbox.seal(10_000, 500);
  const { receipted, sealed } = outbox.progress;
  const numbers: number[] = [];
  for (let seq = receipted + 1; seq <= sealed; seq += 1) {
    numbers.push(...outbox.batch(seq).readings.map(({ value }) => (value ?? 0) - 5_000));
  }
  return numbers;
}

/**
 * Opens what is left of a store and reads all of it, as often as an agent would be started again:
 * damage found while reading ends the first, and the next one has set the store aside.
 */
function survivors(left: Pick<Image, 'database' | 'journal'>): Found {
  const folder = mkdtempSync(join(root, 'cut-'));
  writeFileSync(store(folder), left.database);
  if (left.journal.length > 0) writeFileSync(`${store(folder)}-wal`, left.journal);
  let isReported = false;
  try {
    for (let start = 0; start < 3; start += 1) {
      const outbox = new Outbox(folder, { stamp: `x${start}` });
      isReported ||= outbox.setAside !== null || outbox.lostPages > 0;
      try {
        return { numbers: allOf(outbox), isReported };
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        expect(error.code).toBe('outbox-corrupt');
        isReported = true;
      } finally {
        outbox.close();
      }
    }
    throw new Error('a crash loop');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const first = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Nothing that was committed is missing, or its loss is reported; and nothing was never written. */
function expectHonest({ numbers, isReported }: Found, atLeast: number, place: string): void {
  const most = CHECKPOINTED + COMMITS * GROUP;
  const isWhole = numbers.length >= atLeast && numbers.every((number, n) => number === n);
  expect(isWhole || isReported, `${place}: ${numbers.length} of ${atLeast} readings`).toBe(true);
  const isKnown = numbers.every((number) => Number.isInteger(number) && number < most);
  expect(isKnown && new Set(numbers).size === numbers.length, place).toBe(true);
}

describe('a store that a power cut tore', () => {
  test('has every committed reading when its journal ends anywhere in the last page', () => {
    const { database, journal, durable } = image;
    for (let cut = journal.length - 4_200; cut <= journal.length; cut += CUT_BYTES) {
      const atLeast = durable.findLast(({ bytes }) => bytes <= cut)?.readings ?? 0;
      const found = survivors({ database, journal: journal.subarray(0, cut) });
      expect(`${cut}: ${found.isReported} ${found.numbers.join()}`).toBe(
        `${cut}: false ${first(atLeast).join()}`,
      );
    }
  });

  test('is set aside, and what is left of it taken over, when the database ends anywhere', () => {
    const { database } = image;
    const none = Buffer.alloc(0);
    for (let cut = database.length - 4_096; cut < database.length; cut += 16) {
      const found = survivors({ database: database.subarray(0, cut), journal: none });
      expectHonest(found, CHECKPOINTED, `cut at ${cut}`);
    }
  });

  test('tells of a flipped byte, wherever it is, and never gives a wrong weight', () => {
    const { database } = image;
    const header = Array.from({ length: 100 }, (_, place) => place);
    const pages = Array.from({ length: database.length / 151 - 1 }, (_, n) => 100 + n * 151);
    for (const place of [...header, ...pages]) {
      const flipped = Buffer.from(database);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << (place % 8));
      const found = survivors({ database: flipped, journal: Buffer.alloc(0) });
      expectHonest(found, CHECKPOINTED, `flipped at ${place}`);
    }
  });

  test('tells of a byte that flipped in the journal, which SQLite takes for its end', () => {
    const { database, journal } = image;
    for (let place = 0; place < journal.length; place += 151) {
      const flipped = Buffer.from(journal);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << (place % 8));
      const found = survivors({ database, journal: flipped });
      expectHonest(found, CHECKPOINTED + COMMITS * GROUP, `flipped at ${place}`);
    }
  });
});
