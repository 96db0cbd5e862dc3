import { describe, expect, test } from 'vitest';
import { cutAt, differenceOf, flippedAt, foundIn, shapes } from '../testing/torn-store.ts';

/** `npm run bench -- torn` cuts at every byte: frames count as wholes, so that few say the same. */
const CUT_STEP = 59;
/** A frame of the journal has 4,120 bytes. */
const CUT_BYTES = 4_200;
const FLIP_STEP = 907;

const NOTHING = { lost: 0, wrong: 0, unaccounted: 0 };

describe.each(shapes())('an outbox, $name', (shape) => {
  const newest = shape.durable.at(-1) ?? { from: 0, to: 0, gaps: 0 };

  test('has all that was committed, wherever a power cut ended the last write', () => {
    for (let left = 0; left <= CUT_BYTES; left += CUT_STEP) {
      const { image, committed } = cutAt(shape, left);
      const found = foundIn(image);
      expect(found.isCrashLoop).toBe(false);
      expect(differenceOf(found, committed), `${left} bytes before the end`).toEqual(NOTHING);
      expect(found.gaps.filter(({ why }) => why === 'damaged')).toEqual([]);
    }
  });

  test('gives no wrong reading after any flipped bit, and records what it lost', () => {
    const size = shape.database.length + shape.journal.length;
    for (let place = 0; place < size; place += FLIP_STEP) {
      const found = foundIn(flippedAt(shape, place));
      expect(found.isCrashLoop).toBe(false);
      const { wrong, unaccounted } = differenceOf(found, newest);
      expect({ wrong, unaccounted }, `flipped at ${place}`).toEqual({ wrong: 0, unaccounted: 0 });
    }
  });

  test('is taken over and recorded as far as it goes when the database itself is cut', () => {
    const none = Buffer.alloc(0);
    const { database, before } = shape;
    const inDatabase = before === null ? (shape.durable[0] ?? newest) : newest;
    for (let cut = database.length - 4_096; cut < database.length; cut += 251) {
      const found = foundIn({ database: database.subarray(0, cut), journal: none });
      expect(found.isCrashLoop).toBe(false);
      const { wrong, unaccounted } = differenceOf(found, inDatabase);
      expect({ wrong, unaccounted }, `cut at ${cut}`).toEqual({ wrong: 0, unaccounted: 0 });
    }
  });
});
