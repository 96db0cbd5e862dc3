import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createIndicator } from '../core/indicator.ts';
import { dgtDevice } from './dini-argeo-dgt.ts';
import { genericInt32Device } from './generic.ts';
import type { RegisterModel } from './register-model.ts';

const model = (countMg: number): RegisterModel => ({
  capacityMg: 15_000_000,
  divisionMg: 1000,
  countMg,
});

/** A scale of 15 kg and 1 g, with a weight that the test sets. */
function bench() {
  let weight = { grossMg: 0, stable: true };
  return {
    set: (grossMg: number, stable = true): void => {
      weight = { grossMg, stable };
    },
    indicator: createIndicator({ capacityMg: 15_000_000, divisionMg: 1000 }, () => weight),
  };
}

describe('Dini Argeo DGT, input registers 30001 to 30005', () => {
  test.each([
    ['70,000 g in the high and low word', 70_000_000, true, [1, 4464, 1, 4464, 0b10100]],
    ['12.346 kg, rounded to a gram', 12_345_600, true, [0, 12_346, 0, 12_346, 0b100]],
    ['motion', 500_000, false, [0, 500, 0, 500, 0]],
    ['zero', 300, true, [0, 0, 0, 0, 0b1000_0100]],
    ['a negative weight as magnitude and sign bits', -5000, true, [0, 5, 0, 5, 0b111]],
    ['underload', -21_000, true, [0, 21, 0, 21, 0b1111]],
  ])('show %s', (_, grossMg, stable, registers) => {
    const { set, indicator } = bench();
    set(grossMg, stable);
    expect(dgtDevice(indicator, model(1000)).read('input', 0, 5)).toEqual(registers);
  });

  test('end after the status', () => {
    const device = dgtDevice(bench().indicator, model(1000));
    expect(device.read('input', 4, 1)).toHaveLength(1);
    expect(device.read('input', 4, 2)).toBeNull();
  });

  test('command 2 tares: net becomes 0, gross stays', () => {
    const { set, indicator } = bench();
    const device = dgtDevice(indicator, model(1000));
    set(2_000_000);
    expect(device.write(0, [2])).toBe('done');
    set(1_500_000);
    expect(device.read('input', 0, 5)).toEqual([0, 1500, 0, 500, 0b10_0101]);
  });

  test('command 1 zeroes near zero only', () => {
    const { set, indicator } = bench();
    const device = dgtDevice(indicator, model(1000));
    set(5_000_000);
    device.write(0, [1]);
    expect(device.read('input', 1, 1)).toEqual([5000]);
    set(200_000);
    device.write(0, [1]);
    expect(device.read('input', 1, 1)).toEqual([0]);
  });

  test('other commands and registers are refused', () => {
    const device = dgtDevice(bench().indicator, model(1000));
    expect(device.write(0, [9])).toBe('illegal-value');
    expect(device.write(1, [1])).toBe('illegal-address');
  });
});

describe('generic-int32, holding registers 40001 to 40003', () => {
  test.each([
    ['a weight in counts finer than the division', 12_345_600, true, [1, 57_924, 0b1]],
    ['-5 g in two’s complement', -5000, true, [0xffff, 0xffce, 0b1]],
    ['overload in motion', 15_010_000, false, [2, 19_028, 0b10]],
    ['underload', -30_000, true, [0xffff, 0xfed4, 0b101]],
  ])('show %s', (_, grossMg, stable, registers) => {
    const { set, indicator } = bench();
    set(grossMg, stable);
    expect(genericInt32Device(indicator, model(100)).read('holding', 0, 3)).toEqual(registers);
  });

  test('cannot be written, and there are no others', () => {
    const device = genericInt32Device(bench().indicator, model(100));
    expect(device.write(0, [1])).toBe('illegal-address');
    expect(device.read('holding', 1, 3)).toBeNull();
    expect(device.read('input', 0, 1)).toBeNull();
  });

  test('give back every weight to the division', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10_000_000, max: 100_000_000 }), (grossMg) => {
        const { set, indicator } = bench();
        set(grossMg);
        const [high = 0, low = 0] =
          genericInt32Device(indicator, model(500)).read('holding', 0, 2) ?? [];
        const shownMg = ((high << 16) | low) * 500;
        expect(Math.abs(shownMg - grossMg)).toBeLessThanOrEqual(500);
        expect(Math.abs(shownMg % 1000)).toBe(0);
      }),
    );
  });
});
