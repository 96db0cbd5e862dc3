import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRtu } from '../../modbus/rtu.ts';
import { createRequestReader } from './requests.ts';
import { keyOf } from './script.ts';

const RTU = encodeRtu({ unit: 7, pdu: Buffer.from('0300000003', 'hex') });
const OTHER_RTU = encodeRtu({ unit: 8, pdu: Buffer.from('0300000003', 'hex') });
const TCP = Buffer.from('000100000006010400000005', 'hex');
const OTHER_TCP = Buffer.from('000200000006010300000001', 'hex');

test.each([
  ['rtu', [RTU], [RTU, OTHER_RTU, RTU]],
  ['mbap', [TCP], [TCP, OTHER_TCP, TCP]],
  // A print command of SBI has no end, CAS is asked with a single character.
  ['ascii', [Buffer.from('\u001BP'), Buffer.from('1')], ['\u001BP', '1', 'SI\r\n', '1']],
] as const)('requests of %s are cut out however they are split', (framing, known, requests) => {
  const all = requests.map((request) => Buffer.from(request as Buffer));
  const bytes = Buffer.concat(all);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const reader = createRequestReader(
        known.map((request) => keyOf(request, framing)),
        framing,
      );
      const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
      const read = ends.flatMap((end, i) => reader.push(bytes.subarray(ends[i - 1] ?? 0, end)));
      expect(read).toEqual(all);
      expect(reader.silence()).toEqual([]);
    }),
  );
});

test('what has no end is a request after silence, and no more of it is kept than a request has', () => {
  const reader = createRequestReader([], 'rtu');
  expect(reader.push(Buffer.alloc(5_000, 1))).toEqual([]);
  expect(reader.silence()).toEqual([Buffer.alloc(512, 1)]);
});
