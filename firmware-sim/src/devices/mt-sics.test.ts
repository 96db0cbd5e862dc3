import { describe, expect, test } from 'vitest';
import { createIndicator } from '../core/indicator.ts';
import { sicsDevice, type SicsDevice } from './mt-sics.ts';

function bench(capacityMg: number, divisionMg: number) {
  let weight = { grossMg: 0, stable: true };
  const model = { serial: 'B123456789', capacityMg, divisionMg };
  const device: SicsDevice = sicsDevice(
    model,
    createIndicator(model, () => weight),
  );
  return {
    device,
    set: (grossMg: number, stable = true): void => {
      weight = { grossMg, stable };
    },
  };
}

describe('weights of a scale in grams', () => {
  test.each([
    ['the manual’s 100.00 g', 100_000, true, 'S S     100.00 g'],
    ['a weight in motion', 129_070, false, 'S D     129.07 g'],
    ['a negative weight', -180, true, 'S S      -0.18 g'],
    ['zero without a sign', -4, true, 'S S       0.00 g'],
    ['overload', 6_100_000, true, 'S +'],
    ['underload', -1000, true, 'S -'],
  ])('SI answers %s', (_, grossMg, stable, line) => {
    const { device, set } = bench(6_000_000, 10);
    set(grossMg, stable);
    expect(device.answer('SI')).toBe(line);
  });

  test('S answers S I when it did not come to rest', () => {
    const { device, set } = bench(6_000_000, 10);
    set(100_000, false);
    expect(device.answer('S')).toBe('S I');
  });
});

test('a platform shows kg with as many decimals as its division', () => {
  const { device, set } = bench(150_000_000, 20_000);
  set(96_213_000);
  expect(device.answer('SI')).toBe('S S      96.22 kg');
});

test('tare makes weights net until it is cleared', () => {
  const { device, set } = bench(6_000_000, 10);
  set(350_000);
  expect(device.answer('T')).toBe('T S     350.00 g');
  set(450_000);
  expect(device.answer('SI')).toBe('S S     100.00 g');
  expect(device.answer('TA')).toBe('TA A     350.00 g');
  expect(device.answer('TAC')).toBe('TAC A');
  expect(device.answer('SI')).toBe('S S     450.00 g');
});

test('keys answer why they were refused', () => {
  const { device, set } = bench(6_000_000, 10);
  set(50_000, false);
  expect(device.answer('Z')).toBe('Z I');
  expect(device.answer('TI')).toBe('TI I');
  set(3_000_000);
  expect(device.answer('Z')).toBe('Z +');
  set(50_000);
  expect(device.answer('ZI')).toBe('ZI S');
  expect(device.answer('SI')).toBe('S S       0.00 g');
});

test.each([
  ['FOO', 'ES'],
  ['si', 'ES'],
  ['', 'ES'],
  ['constructor', 'ES'],
  ['S 3', 'S L'],
  ['\u0080SI', 'ET'],
  ['SI\u0007', 'ET'],
  ['ST', 'EL'],
  ['DW', 'EL'],
  ['TA 120.00 g', 'TA A     120.00 g'],
  ['TA 7 kg', 'TA L'],
  ['TA x', 'TA L'],
  ['I4', 'I4 A "B123456789"'],
  ['@', 'I4 A "B123456789"'],
])('the command %j is answered %j', (command, line) => {
  expect(bench(6_000_000, 10).device.answer(command)).toBe(line);
});

test('a load cell cut off, and a display switched to pounds', () => {
  const model = { serial: 'B1', capacityMg: 60_000_000, divisionMg: 20_000 };
  let cellError = true;
  const indicator = createIndicator(model, () => ({
    grossMg: 45_359_237,
    stable: true,
    cellError,
    unit: 'lb',
  }));
  const device = sicsDevice(model, indicator);
  expect(device.answer('SI')).toBe('S I');
  cellError = false;
  expect(device.answer('SI')).toBe('S S     100.00 lb');
});
