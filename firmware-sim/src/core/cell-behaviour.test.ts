import { describe, expect, test } from 'vitest';
import { binId, productId } from '#shared/ids.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import type { CellBehaviour } from './cell-behaviour.ts';
import { createIndicator } from './indicator.ts';
import { createLoadCell } from './load-cell.ts';
import type { WorldEvent } from './model.ts';
import type { BinContent } from './bin-state.ts';

const FROM = Date.UTC(2026, 2, 2);
const CAPACITY_MG = 30_000_000;
const DIVISION_MG = 10_000;
const GROSS_MG = 12_000_000;
const MODEL = {
  capacityMg: CAPACITY_MG,
  tareMg: 2_000_000,
  divisionMg: DIVISION_MG,
  noiseMg: 0,
  driftMgPerSqrtH: 0,
};
const CONTENT: BinContent = { quantity: 1, massMg: 10_000_000, recent: [], lately: [] };

function bench(cell: CellBehaviour, content = CONTENT) {
  const weigh = createLoadCell({
    model: { ...MODEL, cell },
    seed: 5,
    name: 'a',
    era: { from: FROM, liveFrom: FROM },
  });
  let now = FROM;
  const indicator = createIndicator(MODEL, () => weigh(content, now));
  return {
    weigh: (seconds: number) => weigh(content, FROM + seconds * SECOND_MS),
    shown: (seconds: number) => {
      now = FROM + seconds * SECOND_MS;
      return indicator.display();
    },
    isOn: (seconds: number) => {
      now = FROM + seconds * SECOND_MS;
      return indicator.isOn();
    },
  };
}
const once = (durationS: number) => ({ afterS: [60], durationS });

describe('creep', () => {
  const loaded: WorldEvent = {
    at: FROM,
    bin: binId('a'),
    product: productId('p'),
    kind: 'refill',
    quantity: 1,
    massMg: CAPACITY_MG,
  };
  const content = { quantity: 1, massMg: CAPACITY_MG, recent: [], lately: [loaded] };
  const full = CAPACITY_MG + MODEL.tareMg;

  test('after a full load it is at most 0.7 of the error that OIML R 60 allows, and dies away', () => {
    const { weigh } = bench({ creep: { part: 0.7, tauS: 600 } }, content);
    const missing = (seconds: number): number => full - weigh(seconds).grossMg;
    // 3000 divisions: the maximum permissible error is 1.5 divisions.
    expect(missing(0)).toBeCloseTo(0.7 * 1.5 * DIVISION_MG, 3);
    expect(missing(600)).toBeCloseTo(missing(0) / Math.E, 3);
    expect(missing(1800)).toBeLessThan(0.05 * missing(0));
  });
});

test('temperature moves the zero as a daily wave, by a division per 5 °C', () => {
  const temperature = { swingC: 5, spanPpmPerC: 0, warmestHourUtc: 14 };
  const { weigh } = bench({ temperature });
  const at = (hour: number): number => weigh((hour * HOUR_MS) / SECOND_MS).grossMg - GROSS_MG;
  expect(at(14)).toBeCloseTo(DIVISION_MG, 3);
  expect(at(2)).toBeCloseTo(-DIVISION_MG, 3);
  expect(at(8)).toBeCloseTo(0, 3);
  const span = bench({ temperature: { ...temperature, zeroMgPerC: 0, spanPpmPerC: 10 } });
  expect(span.weigh(14 * 3600).grossMg - GROSS_MG).toBeCloseTo(5 * 10e-6 * GROSS_MG, 3);
});

test('settling takes as long as it is told to', () => {
  const picked: WorldEvent = {
    at: FROM,
    bin: binId('a'),
    product: productId('p'),
    kind: 'consumption',
    quantity: -1,
    massMg: -1_000_000,
  };
  const content = { ...CONTENT, recent: [picked], lately: [picked] };
  const settling = { pickMs: 5_000, refillMs: 5_000, periodMs: 700, ripple: 0.3 };
  expect(bench({}, content).weigh(5).stable).toBe(true);
  expect(bench({ settling }, content).weigh(5).stable).toBe(false);
  expect(bench({ settling }, content).weigh(30).stable).toBe(true);
});

describe('vibration', () => {
  test('without times it never ends, and more than half a division of it is motion', () => {
    const { weigh } = bench({ vibration: { amplitudeMg: 20_000, hertz: 7, durationS: 60 } });
    const weights = Array.from({ length: 200 }, (_, i) => weigh(i * 0.37));
    const offsets = weights.map(({ grossMg }) => grossMg - GROSS_MG);
    expect(Math.max(...offsets)).toBeGreaterThan(15_000);
    expect(Math.min(...offsets)).toBeLessThan(-15_000);
    expect(weights.every(({ stable }) => !stable)).toBe(true);
    const faint = bench({ vibration: { amplitudeMg: 4_000, hertz: 7, durationS: 60 } });
    expect(faint.weigh(1).stable).toBe(true);
  });

  test('with times it comes and goes', () => {
    const { weigh } = bench({ vibration: { ...once(10), hertz: 7 } });
    expect([59, 61, 71].map((s) => weigh(s).stable)).toEqual([true, false, true]);
  });
});

test('who leans on the bin presses unevenly for seconds, never stable, and leaves no trace', () => {
  const { weigh } = bench({ leaning: { ...once(4), massMg: 8_000_000 } });
  expect(weigh(59.9)).toMatchObject({ grossMg: GROSS_MG, stable: true });
  const during = [60.5, 61, 61.6, 62.3, 63].map(weigh);
  for (const { grossMg, stable } of during) {
    expect(grossMg).toBeGreaterThan(GROSS_MG + 0.7 * 8_000_000);
    expect(grossMg).toBeLessThan(GROSS_MG + 1.3 * 8_000_000);
    expect(stable).toBe(false);
  }
  expect(new Set(during.map(({ grossMg }) => grossMg)).size).toBeGreaterThan(2);
  expect(weigh(64)).toMatchObject({ grossMg: GROSS_MG, stable: true });
});

test('overload, underload and a cell cut off show as what they are', () => {
  const over = bench({ overload: once(10) });
  expect([over.shown(59).overload, over.shown(65).overload]).toEqual([false, true]);
  const under = bench({ underload: once(10) });
  expect([under.shown(59).underload, under.shown(65).underload]).toEqual([false, true]);
  const cut = bench({ disconnect: once(10) });
  expect(cut.shown(65)).toMatchObject({ cellError: true, overload: true });
  expect(cut.shown(70)).toMatchObject({ cellError: false, grossMg: GROSS_MG });
});

test('a switched unit shows until it is switched back; the masses stay true', () => {
  const { shown } = bench({ unit: { ...once(10), to: 'lb' } });
  expect([59, 65, 70].map((s) => shown(s).unit)).toEqual(['kg', 'lb', 'kg']);
  expect(shown(65).grossMg).toBe(GROSS_MG);
});

test('a tare pressed stays until somebody clears it', () => {
  const { shown } = bench({ tare: once(2), clear: { afterS: [600], durationS: 2 } });
  expect(shown(59).netMg).toBe(GROSS_MG);
  expect([shown(60), shown(300)].map(({ netMg }) => netMg)).toEqual([0, 0]);
  expect([shown(600), shown(700)].map(({ netMg }) => netMg)).toEqual([GROSS_MG, GROSS_MG]);
});

test('zero is refused on a loaded scale and shifts an empty one', () => {
  const loaded = bench({ zero: once(2) });
  expect([loaded.shown(60), loaded.shown(65)].map((s) => s.grossMg)).toEqual([GROSS_MG, GROSS_MG]);
  const empty = { ...CONTENT, massMg: -MODEL.tareMg + 100_000 };
  const light = bench({ zero: once(2) }, empty);
  expect([light.shown(59), light.shown(60), light.shown(65)].map((s) => s.grossMg)).toEqual([
    100_000, 0, 0,
  ]);
});

test('a stuck value is the last one before, with its flags', () => {
  let content = CONTENT;
  const weigh = createLoadCell({
    model: { ...MODEL, noiseMg: 500, cell: { stuck: once(60) } },
    seed: 5,
    name: 'a',
    era: { from: FROM, liveFrom: FROM },
  });
  const at = (seconds: number) => weigh(content, FROM + seconds * SECOND_MS);
  const before = at(59.9);
  content = { ...CONTENT, massMg: 1_000_000 };
  expect(at(61)).toEqual(before);
  expect(at(119)).toEqual(before);
  expect(at(120).grossMg).toBeLessThan(4_000_000);
});

test('a power failure silences the indicator and loses its tare; then it starts up', () => {
  const { shown, isOn } = bench({ tare: { afterS: [10], durationS: 2 }, outage: once(30) });
  shown(10);
  expect(shown(59).netMg).toBe(0);
  expect([59, 60, 89, 90].map(isOn)).toEqual([true, false, false, true]);
  expect(shown(91)).toMatchObject({ netMg: GROSS_MG, zeroed: false });
  expect(shown(96).zeroed).toBe(true);
});

test('what comes at random is the same for the same seed', () => {
  const cell = { leaning: { perDay: 500, durationS: 4, massMg: 5_000_000 } };
  const day = (): boolean[] => {
    const { weigh } = bench(cell);
    return Array.from({ length: 1440 }, (_, i) => weigh((i * MINUTE_MS) / SECOND_MS).stable);
  };
  expect(day()).toEqual(day());
  expect(day().filter((stable) => !stable).length).toBeGreaterThan(10);
});
