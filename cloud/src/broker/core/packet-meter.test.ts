import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { createPacketMeter } from './packet-meter.ts';

const publish = (bytes: number): Uint8Array =>
  generate({
    cmd: 'publish',
    topic: 'a/b',
    payload: Buffer.alloc(bytes),
    qos: 0,
    dup: false,
    retain: false,
  });

/** Remaining length of the packet above: two bytes of topic length, the topic, the payload. */
const remaining = (bytes: number): number => 2 + 3 + bytes;

test('a stream is accepted in any cuts while every packet keeps the limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(40_000), { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 8 }),
      (sizes, cuts) => {
        const stream = Buffer.concat(sizes.map(publish));
        const limit = remaining(Math.max(...sizes));
        const meter = createPacketMeter();
        for (let from = 0, turn = 0; from < stream.length; turn += 1) {
          const to = from + (cuts[turn % cuts.length] ?? 1);
          expect(meter.accepts(stream.subarray(from, to), limit)).toBe(true);
          from = to;
        }
      },
    ),
  );
});

test('a packet over the limit is refused at its fixed header, before its body arrives', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40_000 }), fc.nat(300), (size, before) => {
      const meter = createPacketMeter();
      const limit = remaining(size) - 1;
      if (before < size) expect(meter.accepts(publish(before), limit)).toBe(true);
      const header = publish(size).subarray(0, 4);
      expect(meter.accepts(header, limit)).toBe(false);
    }),
  );
});

test('a length of more than four bytes is refused', () => {
  const meter = createPacketMeter();
  const endless = Uint8Array.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]);
  expect(meter.accepts(endless, Number.MAX_SAFE_INTEGER)).toBe(false);
});
