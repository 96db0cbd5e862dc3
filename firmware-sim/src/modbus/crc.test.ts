import { expect, test } from 'vitest';
import { crc16 } from './crc.ts';

test('the CRC has the check value of CRC-16/MODBUS', () => {
  expect(crc16(Buffer.from('123456789'))).toBe(0x4b37);
});

test('a frame followed by its own CRC has the CRC 0', () => {
  const frame = Buffer.from([0x01, 0x03, 0x00, 0x00, 0x00, 0x0a, 0xc5, 0xcd]);
  expect(crc16(frame.subarray(0, -2))).toBe(frame.readUInt16LE(6));
  expect(crc16(frame)).toBe(0);
});
