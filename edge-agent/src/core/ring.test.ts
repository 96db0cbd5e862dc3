import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import { entry, T0 } from '../testing/entries.ts';
import { movedTo, placedAfter, withoutOldest, type RingEntry } from './ring.ts';

const countOf = (entries: readonly RingEntry[]): number =>
  entries.reduce((sum, { gap }) => sum + 1 + (gap?.count ?? 0), 0);

test('the oldest go, the newest of each bin stays, and every one is still accounted for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
      (bins, makeRoom) => {
        let ring: readonly RingEntry[] = bins.map((bin, n) => entry(n, bin));
        const newest = new Map(ring.map((each) => [each.reading.bin, each.reading]));
        for (const most of makeRoom) ring = withoutOldest(ring, most).kept;
        expect(countOf(ring)).toBe(bins.length);
        for (const [bin, reading] of newest) {
          expect(ring.findLast((each) => each.reading.bin === bin)?.reading).toBe(reading);
        }
        for (const { reading, gap } of ring) {
          if (gap === null) continue;
          expect(gap).toMatchObject({ bin: reading.bin, why: 'dropped' });
          expect(gap.to).toBeLessThan(reading.at);
        }
      },
    ),
  );
});

test('what a clock stamped is moved with its gaps, and nothing else is', () => {
  const from = { boot: 'b', offsetMs: 5, synced: false };
  const to = { ...from, offsetMs: 1_005, synced: true };
  const gap = { bin: binId('a1'), from: T0, to: T0 + 500, count: 2, why: 'dropped' as const };
  const unsure = { ...entry(1).reading, synced: false };
  const stamped = { ...entry(1), reading: unsure, gap, clock: from };
  const [moved, other] = movedTo([stamped, entry(2)], { from, to, shiftMs: 1_000 });
  expect(moved).toMatchObject({
    reading: { at: T0 + 2_000, synced: true },
    gap: { from: T0 + 1_000, to: T0 + 1_500, count: 2 },
    accountedTo: T0 + 2_000,
    clock: to,
  });
  expect(other).toEqual(entry(2));
});

test('what waited comes after the records that are found, and says what was not measured', () => {
  const newest = new Map([[binId('a'), { at: T0 + 5_000, accountedTo: T0 + 5_000 }]]);
  const waiting = [entry(4, 'a'), entry(4, 'b'), entry(9, 'a')];
  const [early, other, late] = placedAfter(waiting, newest);
  expect(early).toMatchObject({
    reading: { at: T0 + 5_001, synced: false },
    gap: { bin: 'a', from: T0 + 5_000, to: T0 + 5_001, count: 0, why: 'not-measured' },
  });
  expect(other).toEqual(entry(4, 'b'));
  expect(late).toEqual(entry(9, 'a'));
});
