import { describe, expect, test } from 'vitest';
import { binId, productId } from '#shared/ids.ts';
import { HOUR_MS, SECOND_MS } from '#shared/units.ts';
import { createLoadCell, type LoadCellModel } from './load-cell.ts';
import type { WorldEvent } from './model.ts';
import type { BinContent } from './bin-state.ts';

const FROM = Date.UTC(2026, 2, 2);
const QUIET: LoadCellModel = {
  capacityMg: 6_000_000,
  tareMg: 350_000,
  divisionMg: 100,
  noiseMg: 0,
  driftMgPerSqrtH: 0,
};
const CONTENT: BinContent = { quantity: 50, massMg: 100_000, recent: [], lately: [] };

const cell = (model: Partial<LoadCellModel> = {}, name = 'a') =>
  createLoadCell({
    model: { ...QUIET, ...model },
    seed: 1,
    name,
    era: { from: FROM, liveFrom: FROM },
  });

function after(massMg: number, kind: WorldEvent['kind']): BinContent {
  const names = { bin: binId('a'), product: productId('p') };
  const recent = [{ ...names, at: FROM, kind, quantity: massMg, massMg }];
  return { ...CONTENT, recent, lately: recent };
}

test('without noise and drift it shows tare and content', () => {
  expect(cell()(CONTENT, FROM)).toEqual({ grossMg: 450_000, stable: true });
});

describe('after a pick of 20 g', () => {
  const content = after(-20_000, 'consumption');

  test('the weight starts where it was and is in motion', () => {
    expect(cell()(content, FROM)).toEqual({ grossMg: 470_000, stable: false });
  });

  test('it settles within a few seconds, and only then is stable', () => {
    const weigh = cell();
    for (let age = 0; age <= 10 * SECOND_MS; age += 100) {
      const { grossMg, stable } = weigh(content, FROM + age);
      if (stable) expect(Math.abs(grossMg - 450_000)).toBeLessThan(50);
      expect(grossMg).toBeGreaterThanOrEqual(450_000);
    }
    expect(weigh(content, FROM + 4 * SECOND_MS).stable).toBe(true);
  });
});

test('a refill takes longer to settle than a pick', () => {
  expect(cell()(after(20_000, 'refill'), at(5)).stable).toBe(false);
  expect(cell()(after(-20_000, 'consumption'), at(5)).stable).toBe(true);
});

const at = (seconds: number): number => FROM + seconds * SECOND_MS;

test('noise has the deviation asked for, and is the same when asked again', () => {
  const weigh = cell({ noiseMg: 200 });
  const count = 20_000;
  const noise = Array.from({ length: count }, (_, i) => weigh(CONTENT, at(i)).grossMg - 450_000);
  const square = noise.reduce((sum, value) => sum + value * value, 0) / count;
  expect(Math.abs(Math.sqrt(square) - 200)).toBeLessThan(5 * (200 / Math.sqrt(2 * count)));
  expect(cell({ noiseMg: 200 })(CONTENT, at(77)).grossMg - 450_000).toBe(noise[77]);
});

describe('drift', () => {
  test('walks by the square root of time', () => {
    const hours = 100;
    const walks = Array.from({ length: 2000 }, (_, i) => {
      const weigh = cell({ driftMgPerSqrtH: 30 }, `bin-${i}`);
      return weigh(CONTENT, FROM + hours * HOUR_MS).grossMg - 450_000;
    });
    const square = walks.reduce((sum, value) => sum + value * value, 0) / walks.length;
    const expected = 30 * Math.sqrt(hours);
    expect(Math.abs(Math.sqrt(square) - expected)).toBeLessThan(5 * (expected / Math.sqrt(4000)));
  });

  test('is a function of time alone: looking twice, later or back changes nothing', () => {
    const weigh = cell({ driftMgPerSqrtH: 30 });
    const forward = [1, 5.3, 20, 300].map((h) => weigh(CONTENT, FROM + h * HOUR_MS).grossMg);
    const backward = [300, 20, 5.3, 1].map((h) => weigh(CONTENT, FROM + h * HOUR_MS).grossMg);
    expect(backward.reverse()).toEqual(forward);
    expect(new Set(forward).size).toBe(4);
  });
});
