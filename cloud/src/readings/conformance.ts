import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binId, type BinId } from '#shared/ids.ts';
import { QUALITIES, type Reading } from '#shared/reading.ts';
import { READING_UNITS } from '#shared/units.ts';
import type { ReadingsStore } from './store.ts';

const a1 = binId('a1');
const a2 = binId('a2');
const ALWAYS = { from: 0, to: Number.MAX_SAFE_INTEGER };

const reading = (bin: BinId, at: number, value: number | null = 1_000): Reading => ({
  bin,
  at,
  value,
  unit: 'mg',
  samples: 10,
  spread: 3,
  quality: 'good',
  synced: true,
});

async function readAll(
  store: ReadingsStore,
  bin: BinId,
  range: { from: number; to: number; limit?: number } = ALWAYS,
): Promise<Reading[]> {
  const all: Reading[] = [];
  for await (const chunk of store.read(bin, range)) {
    expect(chunk.length).toBeGreaterThan(0);
    all.push(...chunk);
  }
  return all;
}

const anyReading = (bin: fc.Arbitrary<BinId>, at: fc.Arbitrary<number>): fc.Arbitrary<Reading> =>
  fc.record({
    bin,
    at,
    value: fc.option(fc.maxSafeInteger()),
    unit: fc.constantFrom(...READING_UNITS),
    samples: fc.maxSafeNat(),
    spread: fc.maxSafeNat(),
    quality: fc.constantFrom(...QUALITIES),
    synced: fc.boolean(),
  });

const byKey = (x: Reading, y: Reading): number => x.bin.localeCompare(y.bin) || x.at - y.at;

/** A store under test: opened empty, and opened again over what is there. */
export interface StoreUnderTest {
  open(): Promise<ReadingsStore>;
  /** Removes everything. */
  clear(): Promise<void>;
}

/** What every store of readings does, whatever is under it. */
export function describeReadingsStore(
  name: string,
  underTest: () => Promise<StoreUnderTest>,
): void {
  describe(`${name} as a store of readings`, () => {
    let place: StoreUnderTest;
    let store: ReadingsStore;
    beforeEach(async () => {
      place = await underTest();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.clear();
    });

    it('gives back every field of every reading, also after it was opened again', async () => {
      const readings = fc.uniqueArray(anyReading(fc.constant(a1), fc.integer({ min: 1 })), {
        selector: ({ at }) => at,
        maxLength: 50,
      });
      for (const [index, list] of fc.sample(readings, { numRuns: 10, seed: 7 }).entries()) {
        const bin = binId(`bin-${index}`);
        const mine = list.map((one) => ({ ...one, bin }));
        await store.append(mine);
        await store.close();
        store = await place.open();
        expect(await readAll(store, bin)).toEqual(mine.toSorted((x, y) => x.at - y.at));
      }
    });

    it('says of each reading whether it was stored, known or in conflict, and keeps the first', async () => {
      expect(await store.append([reading(a1, 1), reading(a1, 2), reading(a2, 1)])).toEqual([
        'stored',
        'stored',
        'stored',
      ]);
      const again = [reading(a1, 2), reading(a1, 3), reading(a1, 1, 7), reading(a2, 1, null)];
      expect(await store.append(again)).toEqual(['duplicate', 'stored', 'conflict', 'conflict']);
      expect(await readAll(store, a1)).toEqual([1, 2, 3].map((at) => reading(a1, at)));
      expect(await readAll(store, a2)).toEqual([reading(a2, 1)]);
    });

    it('tells apart readings that differ in a single field', async () => {
      const first = reading(a1, 1);
      await store.append([first]);
      const others: Reading[] = [
        { ...first, value: null },
        { ...first, value: 1_001 },
        { ...first, unit: 'count' },
        { ...first, samples: 11 },
        { ...first, spread: 4 },
        { ...first, quality: 'unstable' },
        { ...first, synced: false },
      ];
      expect(await store.append(others)).toEqual(others.map(() => 'conflict'));
    });

    it('sees a repetition inside of one append', async () => {
      const twice = [reading(a1, 1), reading(a1, 1), reading(a1, 1, 5)];
      expect(await store.append(twice)).toEqual(['stored', 'duplicate', 'conflict']);
    });

    it('takes no readings at all', async () => {
      expect(await store.append([])).toEqual([]);
    });

    it('reads from inclusive to exclusive, oldest first, at most the limit', async () => {
      await store.append([5, 3, 1, 4, 2].map((at) => reading(a1, at)));
      await store.append([reading(a2, 3)]);
      const times = async (range: { from: number; to: number; limit?: number }) =>
        (await readAll(store, a1, range)).map(({ at }) => at);
      expect(await times({ from: 2, to: 5 })).toEqual([2, 3, 4]);
      expect(await times({ from: 2, to: 5, limit: 2 })).toEqual([2, 3]);
      expect(await times({ from: 2, to: 5, limit: 0 })).toEqual([]);
      expect(await times({ from: 6, to: 9 })).toEqual([]);
      expect(await times({ from: 5, to: 2 })).toEqual([]);
    });

    it('reads many chunks without losing or repeating a reading', async () => {
      const many = Array.from({ length: 12_345 }, (_, index) => reading(a1, index * 7 + 1, index));
      await store.append(many);
      expect(await readAll(store, a1)).toEqual(many);
      expect(await readAll(store, a1, { ...ALWAYS, limit: 3_001 })).toEqual(many.slice(0, 3_001));
    });

    it('keeps reading in order while others append', async () => {
      const even = Array.from({ length: 5_000 }, (_, index) => reading(a1, index * 2 + 2));
      await store.append(even);
      const seen: number[] = [];
      for await (const chunk of store.read(a1, ALWAYS)) {
        seen.push(...chunk.map(({ at }) => at));
        const last = seen.at(-1) ?? 0;
        if (last < 10_000) await store.append([reading(a1, last - 1), reading(a1, last + 1)]);
      }
      expect(seen).toEqual(seen.toSorted((x, y) => x - y));
      expect(new Set(seen).size).toBe(seen.length);
      const known = new Set(seen);
      expect(even.filter(({ at }) => !known.has(at))).toEqual([]);
    });

    it('counts what lies in a range', async () => {
      await store.append([1, 2, 3, 4].map((at) => reading(a1, at)));
      expect(await store.count(a1, { from: 2, to: 4 })).toBe(2);
      expect(await store.count(a1, ALWAYS)).toBe(4);
      expect(await store.count(a2, ALWAYS)).toBe(0);
    });

    it('knows the newest reading of each bin, also one that is not good', async () => {
      const fault: Reading = { ...reading(a1, 9, null), samples: 0, quality: 'comm-error' };
      await store.append([reading(a1, 1), fault, reading(a1, 5), reading(a2, 2)]);
      const newest = await store.newest([a1, a2, binId('unknown')]);
      expect([...newest]).toEqual([
        [a1, fault],
        [a2, reading(a2, 2)],
      ]);
      expect([...(await store.newest([a1, a2], 2))]).toEqual([[a1, reading(a1, 1)]]);
    });

    it('ends with one reading a bin and time, the first, however appends overlap', async () => {
      const batches = fc.array(
        fc.array(anyReading(fc.constantFrom(a1, a2), fc.integer({ min: 1, max: 8 })), {
          maxLength: 8,
        }),
        { maxLength: 8 },
      );
      for (const [index, lists] of fc.sample(batches, { numRuns: 20, seed: 11 }).entries()) {
        const model = new Map<string, Reading>();
        const named = (bin: BinId): BinId => binId(`${bin}-${index}`);
        for (const list of lists) {
          const mine = list.map((one) => ({ ...one, bin: named(one.bin) }));
          const expected = mine.map((one) => {
            const key = `${one.bin} ${one.at}`;
            const known = model.get(key);
            if (known === undefined) model.set(key, one);
            if (known === undefined) return 'stored';
            return JSON.stringify(known) === JSON.stringify(one) ? 'duplicate' : 'conflict';
          });
          expect(await store.append(mine)).toEqual(expected);
        }
        const stored = await Promise.all([a1, a2].map((bin) => readAll(store, named(bin))));
        expect(stored.flat()).toEqual([...model.values()].sort(byKey));
      }
    });

    it('may be closed twice', async () => {
      await store.close();
      await store.close();
      await expect(store.append([reading(a1, 1)])).rejects.toThrow(/\S/);
    });
  });
}
