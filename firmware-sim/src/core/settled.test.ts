import { expect, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import type { Display } from './indicator.ts';
import { settledReading } from './settled.ts';

const bin = binId('a');
const shown = (grossMg: number, rest: Partial<Display> = {}): Display => ({
  grossMg,
  netMg: grossMg,
  tareMg: 0,
  stable: true,
  overload: false,
  underload: false,
  cellError: false,
  centreOfZero: false,
  zeroed: true,
  unit: 'kg',
  ...rest,
});

test('quiet samples give their mean and the deviation of one sample', () => {
  expect(
    settledReading(
      bin,
      5,
      [1000, 1200, 1100].map((mg) => shown(mg)),
      false,
    ),
  ).toEqual({
    bin,
    at: 5,
    value: 1100,
    unit: 'mg',
    samples: 3,
    spread: 100,
    quality: 'good',
  });
});

test('a change among the samples, or motion, makes the reading unstable', () => {
  const quiet = [shown(1000), shown(1000)];
  expect(settledReading(bin, 5, quiet, true).quality).toBe('unstable');
  const moving = [shown(1000), shown(1000, { stable: false })];
  expect(settledReading(bin, 5, moving, false).quality).toBe('unstable');
});

test.each(['overload', 'underload'] as const)('%s carries no value, never 0', (quality) => {
  const reading = settledReading(bin, 5, [shown(1000), shown(1000, { [quality]: true })], false);
  expect(reading).toMatchObject({ value: null, samples: 0, spread: 0, quality });
});
