import { expect, test } from 'vitest';
import { createIndicator } from '../core/indicator.ts';
import type { Weight } from '../core/load-cell.ts';
import { answer } from '../modbus/pdu.ts';
import { sensorDevice, type SensorModel } from './sensors.ts';

const MODEL = { capacityMg: 12_000_000, tareMg: 2_000_000, divisionMg: 1000 };

function bench(sensor: SensorModel, quantity: number, weight: Weight) {
  const indicator = createIndicator(MODEL, () => weight);
  const seen = { quantity: () => quantity, display: () => indicator.display() };
  const device = sensorDevice(sensor, MODEL, seen);
  return (hex: string): string => answer(device, Buffer.from(hex, 'hex')).toString('hex');
}

test('a count sensor counts, and says when it is not sure', () => {
  const still = bench({ kind: 'count' }, 70_000, { grossMg: 5_000_000, stable: true });
  expect(still('0400000003')).toBe('0406000111700001');
  const moved = bench({ kind: 'count' }, 5, { grossMg: 5_000_000, stable: false });
  expect(moved('0300000003')).toBe('0306000000050000');
});

test.each([
  ['empty', { grossMg: 2_000_000, stable: true }, 4000, 0],
  ['half full', { grossMg: 7_000_000, stable: true }, 12_000, 500],
  ['full', { grossMg: 12_000_000, stable: true }, 20_000, 1000],
  ['overfull', { grossMg: 20_000_000, stable: true }, 20_500, 1000],
  ['a broken wire', { grossMg: 7_000_000, stable: true, cellError: true }, 0, 0],
])('a level sensor is a current loop: %s', (_, weight, current, permille) => {
  const words = [current, permille].map((word) => word.toString(16).padStart(4, '0')).join('');
  expect(bench({ kind: 'level' }, 0, weight)('0400000002')).toBe(`0404${words}`);
});

test('a presence sensor is a bit in a register, an input and a coil', () => {
  const weight = { grossMg: 2_000_000, stable: true };
  const present = bench({ kind: 'presence', from: 3 }, 3, weight);
  expect([present('0200000001'), present('0100000001'), present('0300000001')]).toEqual([
    '020101',
    '010101',
    '03020001',
  ]);
  const absent = bench({ kind: 'presence', from: 3 }, 2, weight);
  expect([absent('0200000001'), absent('0100000001')]).toEqual(['020100', '010100']);
  expect(absent('0200010001')).toBe('8202');
  expect(absent('0200000000')).toBe('8203');
});
