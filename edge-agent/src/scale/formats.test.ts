import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../testing/ascii-frames.ts';
import { fuzz } from '../testing/codec-fuzz.ts';

const FUZZ_FRAMES = 5_000;

describe.each(FORMATS)('$name', (format) => {
  test('every weight comes back as it is', () => {
    const grams = fc.array(fc.integer({ min: -9_999, max: 99_999 }), { minLength: 1 });
    fc.assert(
      fc.property(grams, (weights) => {
        const stream = Buffer.concat(weights.map((each) => format.encode(each)));
        const reads = format.codec().push(stream);
        expect(reads.map(({ read }) => read)).toEqual(
          weights.map((each) => ({ ok: true, massMg: each * 1_000, stable: true })),
        );
      }),
    );
  });

  test('however the bytes are split, the frames are the same', () => {
    const stream = Buffer.concat([
      format.encode(12_345).subarray(7),
      format.encode(99),
      Buffer.from('\x00~?\xFF'),
      format.encode(-7),
      format.encode(54_321),
    ]);
    const whole = format.codec().push(stream);
    expect(whole.length).toBeGreaterThanOrEqual(2);
    for (let first = 0; first <= stream.length; first += 1) {
      for (let second = first; second <= stream.length; second += 1) {
        const codec = format.codec();
        const parts = [
          stream.subarray(0, first),
          stream.subarray(first, second),
          stream.subarray(second),
        ];
        expect(parts.flatMap((part) => codec.push(part))).toEqual(whole);
      }
    }
  });

  test('noise does not pile up, and the frame after the next is read', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const codec = format.codec();
        for (const chunk of chunks) codec.push(chunk);
        codec.push(format.encode(1));
        const [frame] = codec.push(format.encode(2)).slice(-1);
        expect(frame?.read).toMatchObject({ massMg: 2_000 });
      }),
    );
  });

  test('nothing random, broken or changed passes for a weight', () => {
    const result = fuzz(format, { frames: FUZZ_FRAMES, seed: 20_261_123 });
    expect(result).toMatchObject({ crashes: 0, firstWrong: null, wrong: 0 });
  });
});
