import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRtuReader, encodeRtu } from './rtu.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** Unit 1, ten holding registers from 0; CRC as every Modbus calculator gives it. */
const READ = hex('01 03 0000 000A C5CD');
/** Unit 17, the specification's write of registers 2 and 3. */
const WRITE = encodeRtu({ unit: 17, pdu: hex('10 0001 0002 04 000A 0102') });
const UNKNOWN = encodeRtu({ unit: 1, pdu: hex('2B 0E 01 00') });

describe('a request', () => {
  test('is encoded with its CRC low byte first', () => {
    expect(encodeRtu({ unit: 1, pdu: hex('03 0000 000A') })).toEqual(READ);
    expect(WRITE.subarray(-2)).toEqual(hex('C6F0'));
  });

  test.each([
    ['a read', READ],
    ['a write of several registers', WRITE],
  ])('%s split at any place is read once, without waiting for silence', (_, bytes) => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const reader = createRtuReader();
      const frames = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
      expect(frames.map(encodeRtu)).toEqual([bytes]);
      expect(reader.silence()).toEqual([]);
    }
  });

  test('of an unknown function is read once the line is silent', () => {
    const reader = createRtuReader();
    expect(reader.push(UNKNOWN)).toEqual([]);
    expect(reader.silence().map(encodeRtu)).toEqual([UNKNOWN]);
    expect(reader.silence()).toEqual([]);
  });
});

describe('a broken frame', () => {
  test('with any one bit turned is not taken for a request', () => {
    for (let bit = 0; bit < READ.length * 8; bit += 1) {
      const broken = Buffer.from(READ);
      broken.writeUInt8(broken.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const reader = createRtuReader();
      expect([...reader.push(broken), ...reader.silence()]).toEqual([]);
    }
  });

  test('spoils nothing after the silence that ends it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
        const reader = createRtuReader();
        reader.push(Buffer.from(noise));
        reader.silence();
        expect(reader.push(READ).map(encodeRtu)).toEqual([READ]);
      }),
    );
  });
});
