import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { BinView } from '../control/control.ts';
import { startSimulator } from '../run.ts';
import { parseScenario } from '../scenario/scenario.ts';
import { scenarioText } from '../testing/small-scenario.ts';
import { createSimulation } from './simulation.ts';

const START = Date.UTC(2026, 2, 4, 10);
const STEP_S = 0.25;
const folder = mkdtempSync(join(tmpdir(), 'load-cell-'));
/** What each bin and its indicator showed, by bin, a view every quarter of a second. */
const seen = new Map<string, BinView[]>();
let truth: { kind: string; bin?: string; quantity?: number }[] = [];

/** Ten minutes of the scenario as a technician would see them in the panel, by a clock of our own. */
beforeAll(async () => {
  const text = scenarioText('load-cell').replaceAll(/port: \d+/g, 'port: 0');
  let wallMs = START;
  const simulator = await startSimulator({
    scenario: parseScenario('load-cell.yaml', text),
    stateDir: folder,
    ptyDir: null,
    clock: { wallMs: () => wallMs, monotonicMs: () => wallMs },
    log: createLog('sim', 'silent'),
  });
  for (; wallMs < START + 600_000; wallMs += STEP_S * 1_000) {
    for (const view of simulator.control.bins()) {
      seen.set(view.bin, [...(seen.get(view.bin) ?? []), view]);
    }
  }
  await simulator.close();
  const lines = readFileSync(join(folder, 'truth.jsonl'), 'utf8').trimEnd().split('\n');
  truth = lines.map((line) => JSON.parse(line) as (typeof truth)[number]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** @returns what was shown from one second to another */
function shown(bin: string, fromS: number, toS: number): BinView['display'][] {
  const views = seen.get(bin)?.slice(fromS / STEP_S, toS / STEP_S) ?? [];
  expect(views.length).toBeGreaterThan(0);
  return views.map(({ display }) => display);
}
const gross = (bin: string, fromS: number, toS: number): number[] =>
  shown(bin, fromS, toS).map(({ grossMg }) => grossMg);
const spread = (masses: readonly number[]): number => Math.max(...masses) - Math.min(...masses);

test('noise is a few divisions, and gone from a scale that has none', () => {
  expect(spread(gross('noise', 0, 300))).toBeGreaterThan(40_000);
  expect(spread(gross('theft', 0, 20))).toBe(0);
});

test('drift walks away from the weight though nobody moves anything', () => {
  expect(spread(gross('drift', 0, 600))).toBeGreaterThan(50_000);
});

test('creep dies away after a refill', () => {
  const after = gross('creep', 30, 31)[0] ?? 0;
  const late = gross('creep', 590, 600).at(-1) ?? 0;
  expect(late).toBe(42_000_000);
  expect(Math.abs(after - late)).toBeGreaterThanOrEqual(10_000);
});

test('temperature has moved zero and span', () => {
  expect(gross('temperature', 0, 1)[0]).not.toBe(12_000_000);
});

test('settling takes seconds, swings, and is in motion meanwhile', () => {
  expect(shown('settling', 20.5, 22).every(({ stable }) => !stable)).toBe(true);
  expect(spread(gross('settling', 20.5, 24))).toBeGreaterThan(100_000);
  expect(gross('settling', 40, 41)[0]).toBe(10_000_000);
});

test('vibration is motion for as long as it lasts', () => {
  expect(shown('vibration', 25, 79).some(({ stable }) => !stable)).toBe(true);
  expect(spread(gross('vibration', 85, 300))).toBe(0);
});

test('leaning is heavy, never stable, and leaves no trace', () => {
  for (const atS of [20, 120]) {
    expect(Math.max(...gross('leaning', atS, atS + 5))).toBeGreaterThan(15_000_000);
    expect(shown('leaning', atS + 0.5, atS + 4.5).every(({ stable }) => !stable)).toBe(true);
  }
  expect(gross('leaning', 200, 201)[0]).toBe(12_000_000);
});

test.each([
  ['overload', 'overload'],
  ['underload', 'underload'],
  ['disconnect', 'cellError'],
] as const)('%s shows as what it is, and ends', (bin, flag) => {
  expect(shown(bin, 0, 19).every((display) => !display[flag])).toBe(true);
  expect(shown(bin, 25, 59).every((display) => display[flag])).toBe(true);
  expect(shown(bin, 70, 80).every((display) => !display[flag])).toBe(true);
});

test('a switched unit is shown until it is switched back', () => {
  expect(new Set(shown('unit', 0, 19).map(({ unit }) => unit))).toEqual(new Set(['kg']));
  expect(new Set(shown('unit', 21, 59).map(({ unit }) => unit))).toEqual(new Set(['lb']));
  expect(new Set(shown('unit', 61, 90).map(({ unit }) => unit))).toEqual(new Set(['kg']));
});

test('tare pressed makes net 0 and leaves gross, until it is cleared', () => {
  expect(shown('tare', 30, 79)).toContainEqual(
    expect.objectContaining({ netMg: 0, grossMg: 12_000_000 }),
  );
  expect(shown('tare', 95, 100).map(({ netMg }) => netMg)).not.toContain(0);
});

test('an indicator without power shows nothing, then starts up', () => {
  const views = seen.get('power') ?? [];
  expect(views.slice(21 / STEP_S, 59 / STEP_S).some(({ isOn }) => isOn)).toBe(false);
  expect(shown('power', 61, 64).every(({ zeroed }) => !zeroed)).toBe(true);
  expect(views.at(70 / STEP_S)).toMatchObject({ isOn: true, display: { zeroed: true } });
});

test('a key is pressed and a value sticks also while nobody looks', () => {
  const era = { from: START, liveFrom: START };
  const simulation = createSimulation(parseScenario('x.yaml', scenarioText('load-cell')), era);
  for (const s of [10, 25, 60]) simulation.advance(START + s * 1_000);
  expect(simulation.indicator(binId('tare')).display().netMg).toBe(0);
  expect(simulation.indicator(binId('stuck')).display().grossMg).toBe(12_000_000);
});

test('a stuck value stays while goods go, and jumps when it comes free', () => {
  expect(spread(gross('stuck', 21, 79))).toBe(0);
  expect(gross('stuck', 95, 96)[0]).toBe(9_000_000);
});

test('content changes as the truth says: theft, swap, use and refill', () => {
  const quantityAt = (bin: string, s: number) => seen.get(bin)?.at(s / STEP_S)?.quantity;
  expect(quantityAt('theft', 30)).toBe(5_000_000);
  expect(quantityAt('swap', 30)).toBe(7_000_000);
  const kinds = (bin: string) =>
    new Set(truth.filter((event) => event.bin === bin).map(({ kind }) => kind));
  expect(kinds('theft')).toEqual(new Set(['theft']));
  expect(kinds('swap')).toEqual(new Set(['swap']));
  expect(kinds('refill')).toEqual(new Set(['consumption', 'refill']));
  expect(kinds('power')).toEqual(new Set(['outage']));
  const moved = truth.filter(({ bin }) => bin === 'refill');
  const sum = moved.reduce((total, { quantity = 0 }) => total + quantity, 10_000_000);
  expect(seen.get('refill')?.at(-1)?.quantity).toBe(sum);
});
