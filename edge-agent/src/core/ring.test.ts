import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entry } from '../testing/entries.ts';
import { withoutOldest, type RingEntry } from './ring.ts';

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
