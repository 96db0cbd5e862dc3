import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admit } from './admission.ts';

test.each([
  ['the first batch of an outbox is next', 0, { seq: 1, oldest: 1 }, { kind: 'next' }],
  ['the one after the cursor is next', 7, { seq: 8, oldest: 3 }, { kind: 'next' }],
  ['one at the cursor is a duplicate', 7, { seq: 7, oldest: 7 }, { kind: 'duplicate' }],
  ['one far before it is a duplicate', 7, { seq: 1, oldest: 1 }, { kind: 'duplicate' }],
  ['one that skips a batch still held is ahead', 7, { seq: 9, oldest: 8 }, { kind: 'ahead' }],
  ['the oldest that is held may jump', 7, { seq: 12, oldest: 12 }, { kind: 'jump', lost: 4 }],
  ['one after the oldest waits for it', 7, { seq: 13, oldest: 12 }, { kind: 'ahead' }],
] as const)('%s', (_, upTo, batch, expected) => {
  expect(admit(upTo, batch)).toEqual(expected);
});

test('whatever is lost, doubled or late on the way, each batch is taken once and in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 300 }), (arrivals) => {
      let upTo = 0;
      const taken: number[] = [];
      const all = Array.from({ length: 30 }, (_, index) => index + 1);
      // At the end the agent resends everything in order, as after a reconnect.
      for (const seq of [...arrivals, ...all]) {
        const { kind } = admit(upTo, { seq, oldest: 1 });
        expect(kind).not.toBe('jump');
        if (kind === 'next') {
          taken.push(seq);
          upTo = seq;
        }
      }
      expect(taken).toEqual(all);
    }),
  );
});
