import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMbapReader, encodeMbap } from './mbap.ts';

/** Transaction 0x1501, unit 0xFF: the header of the implementation guide's example, 3.1.3. */
const GUIDE = Buffer.from('15010000 0006 FF 03 0004 0001'.replaceAll(' ', ''), 'hex');

test("the implementation guide's request is read and written byte for byte", () => {
  const frames = createMbapReader().push(GUIDE);
  const pdu = Buffer.from('0300040001', 'hex');
  expect(frames).toEqual([{ transaction: 0x1501, unit: 0xff, pdu }]);
  expect(encodeMbap({ transaction: 0x1501, unit: 0xff, pdu })).toEqual(GUIDE);
});

test('a request split at any two places is read once', () => {
  for (let a = 0; a <= GUIDE.length; a += 1) {
    for (let b = a; b <= GUIDE.length; b += 1) {
      const reader = createMbapReader();
      const parts = [GUIDE.subarray(0, a), GUIDE.subarray(a, b), GUIDE.subarray(b)];
      expect(parts.flatMap((part) => reader.push(part))).toHaveLength(1);
    }
  }
});

test.each([
  ['another protocol', '0001 0001 0006 01 03 0000 0001'],
  ['a length of one', '0001 0000 0001 01'],
  ['a length beyond a PDU', '0001 0000 00FF 01'],
])('%s ends the stream', (_, bytes) => {
  expect(createMbapReader().push(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))).toBeNull();
});

test('frames come out as they went in, however the stream is cut', () => {
  const frame = fc.record({
    transaction: fc.integer({ min: 0, max: 0xffff }),
    unit: fc.integer({ min: 0, max: 0xff }),
    pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }).map((bytes) => Buffer.from(bytes)),
  });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.integer({ min: 1, max: 40 }),
      (sent, size) => {
        const stream = Buffer.concat(sent.map(encodeMbap));
        const reader = createMbapReader();
        const read = [];
        for (let i = 0; i < stream.length; i += size) {
          read.push(...(reader.push(stream.subarray(i, i + size)) ?? []));
        }
        expect(read).toEqual(sent);
      },
    ),
  );
});
