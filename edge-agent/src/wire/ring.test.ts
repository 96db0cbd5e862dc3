import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireRing } from './ring.ts';

test('the newest pieces are kept whole, oldest first, whatever their sizes', () => {
  const piece = fc.record({
    dir: fc.constantFrom('tx' as const, 'rx' as const),
    event: fc.option(fc.constantFrom('open' as const, 'close' as const), { nil: undefined }),
    bytes: fc.uint8Array({ maxLength: 40 }),
  });
  const sizes = fc.record({ bytes: fc.integer({ min: 1, max: 64 }), pieces: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), sizes, (given, { bytes, pieces }) => {
      const size = { bytes, pieces: pieces + 1 };
      const ring = new WireRing(size);
      for (const [at, { dir, bytes: of, event }] of given.entries()) ring.add(at, dir, of, event);
      const all = given.map(({ dir, bytes: of, event }, at) => {
        const hex = Buffer.from(of.subarray(0, size.bytes)).toString('hex');
        return { at, link: 'l', dir, hex, ...(event && { event }) };
      });
      const kept = ring.pieces('l');
      expect(kept).toEqual(all.slice(all.length - kept.length));
      // No more was forgotten than had to be.
      const one = all.at(-kept.length - 1);
      const more =
        kept.reduce((sum, { hex }) => sum + hex.length / 2, 0) + (one?.hex.length ?? 0) / 2;
      expect(one === undefined || kept.length === size.pieces || more > size.bytes).toBe(true);
    }),
  );
});
