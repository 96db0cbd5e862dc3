import { expect, test } from 'vitest';
import { encodeRtu } from '../modbus/rtu.ts';
import { meaningOf } from './meaning.ts';

const frame = (unit: number, pdu: string): Buffer =>
  encodeRtu({ unit, pdu: Buffer.from(pdu, 'hex') });
const said = (dir: 'rx' | 'tx', bytes: Buffer, request: Buffer | null = null): string[] =>
  meaningOf('rtu', dir, bytes, request).map(({ label, value }) => `${label} ${value}`);

const REQUEST = frame(7, '0300050001');
const ANSWER = frame(7, '0302002a');
const WHOLE = ['unit 7', 'function 3 read holding registers', 'address 5 (40006)', 'values 42'];

test('answers in one piece are told one by one, the newest request being of the last', () => {
  const first = [
    ['0402000b', ['function 4 read input registers', 'values 11']],
    ['8302', ['function 3 read holding registers', 'exception 2 illegal data address']],
    ['010103', ['function 1 read coils']],
    ['0600080001', ['function 6 write register', 'address 8 (40009)', 'values 1']],
    ['1000080002', ['function 16 write registers', 'address 8 (40009)', 'count 2']],
  ] as const;
  for (const [pdu, terms] of first) {
    const both = Buffer.concat([frame(9, pdu), ANSWER]);
    expect(said('tx', both, REQUEST)).toEqual(['unit 9', ...terms, ...WHOLE]);
  }
});

test('requests in one piece are told one by one', () => {
  const write = frame(9, '10000800010200ff');
  expect(said('rx', Buffer.concat([write, REQUEST]))).toEqual([
    'unit 9',
    'function 16 write registers',
    'address 8 (40009)',
    'count 1',
    'values 255',
    'unit 7',
    'function 3 read holding registers',
    'address 5 (40006)',
    'count 1',
  ]);
});

test('of a piece with an intact frame before a broken one, only the broken one is called so', () => {
  const broken = Buffer.from(ANSWER);
  broken.writeUInt8(broken.readUInt8(3) ^ 1, 3);
  expect(said('tx', broken, REQUEST)[0]).toBe('broken CRC is wrong');
  expect(said('tx', Buffer.concat([ANSWER, broken]), REQUEST).slice(2, 5)).toEqual([
    'values 42',
    'broken CRC is wrong',
    'unit 7',
  ]);
  expect(said('tx', Buffer.concat([ANSWER, Buffer.from([1])]), REQUEST)).toContain(
    'broken shorter than a frame',
  );
});
