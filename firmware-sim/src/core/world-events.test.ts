import { describe, expect, test } from 'vitest';
import { binId, productId } from '#shared/ids.ts';
import { DAY_MS, HOUR_MS } from '#shared/units.ts';
import type { BinEvent, BinModel } from './model.ts';
import { hourlyShares } from './rhythm.ts';
import { createWorld, type HandDeed } from './world.ts';

const FROM = Date.UTC(2026, 2, 2);
const bin = binId('shelf');
const screw = productId('screw');
const nut = productId('nut');
const SHELF: BinModel = {
  bin,
  product: screw,
  piece: { massMg: 2000, scatterMg: 0 },
  timeZone: 'Europe/Berlin',
  stock: { initial: 700, refillAt: 100, refillTo: 1000, refillDelayH: 24 },
  outflow: { kind: 'none', rhythm: 'round-the-clock' },
};
const era = { from: FROM, liveFrom: FROM };
const world = (events: readonly BinEvent[], byHand: readonly HandDeed[] = [], model = SHELF) =>
  createWorld({ models: [{ ...model, events }], seed: 3, era, byHand });
const at = (...afterS: number[]) => ({ afterS, durationS: 0 });

test('what is taken, put and stolen happens at its time and is called what it is', () => {
  const course = world([
    { deed: { kind: 'take', quantity: 10 }, occurrence: at(60, 120) },
    { deed: { kind: 'put', quantity: 30 }, occurrence: at(180) },
    { deed: { kind: 'theft', quantity: 200 }, occurrence: at(240) },
  ]);
  const events = course.advance(FROM + HOUR_MS);
  expect(events.map(({ at, kind, quantity }) => [at - FROM, kind, quantity])).toEqual([
    [60_000, 'consumption', -10],
    [120_000, 'consumption', -10],
    [180_000, 'refill', 30],
    [240_000, 'theft', -200],
  ]);
  expect(course.content(bin)).toMatchObject({ quantity: 510, massMg: 1_020_000 });
});

test('no more is stolen than lies there', () => {
  const course = world([{ deed: { kind: 'theft', quantity: 9999 }, occurrence: at(60, 120) }]);
  expect(course.advance(FROM + HOUR_MS).map(({ quantity }) => quantity)).toEqual([-700]);
});

test('a swap takes all of one product out and puts another in, which is refilled from then on', () => {
  const piece = { massMg: 5000, scatterMg: 0 };
  const course = world([
    { deed: { kind: 'swap', quantity: 90, to: nut, piece }, occurrence: at(60) },
    { deed: { kind: 'take', quantity: 5 }, occurrence: at(120) },
  ]);
  const events = course.advance(FROM + 2 * DAY_MS);
  expect(
    events.map(({ product, kind, quantity, massMg }) => [product, kind, quantity, massMg]),
  ).toEqual([
    [screw, 'swap', -700, -1_400_000],
    [nut, 'swap', 90, 450_000],
    [nut, 'consumption', -5, -25_000],
    [nut, 'refill', 915, 4_575_000],
  ]);
});

test('what comes at random is the same however the world is asked', () => {
  const events: readonly BinEvent[] = [
    { deed: { kind: 'take', quantity: 3 }, occurrence: { perDay: 40, durationS: 0 } },
    { deed: { kind: 'theft', quantity: 50 }, occurrence: { perDay: 0.5, durationS: 0 } },
  ];
  const whole = world(events).advance(FROM + 20 * DAY_MS);
  const stepped = world(events);
  const parts = Array.from({ length: 20 * 24 }, (_, i) => stepped.advance(FROM + i * HOUR_MS));
  parts.push(stepped.advance(FROM + 20 * DAY_MS));
  expect(parts.flat()).toEqual(whole);
  const count = (kind: string): number => whole.filter((event) => event.kind === kind).length;
  expect(count('theft')).toBe(10);
  // Now and then the bin is empty.
  expect(count('consumption')).toBeGreaterThan(600);
  expect(count('consumption')).toBeLessThanOrEqual(800);
});

describe('by hand', () => {
  test('it is done now, and done again in a later run it makes the same world', () => {
    const picks = { kind: 'picks', rhythm: 'round-the-clock', perDay: 300, pickMin: 1, pickMax: 9 };
    const model = { ...SHELF, piece: { massMg: 2000, scatterMg: 30 }, outflow: picks } as BinModel;
    const first = world([], [], model);
    const before = first.advance(FROM + HOUR_MS);
    const done = first.act(bin, { kind: 'take', quantity: 100 });
    expect(done).toMatchObject([{ at: FROM + HOUR_MS, kind: 'consumption', quantity: -100 }]);
    const after = first.advance(FROM + DAY_MS);
    const deed = { kind: 'take', quantity: 100 } as const;
    const again = world([], [{ at: FROM + HOUR_MS, bin, deed }], model);
    expect(again.advance(FROM + DAY_MS)).toEqual([...before, ...done, ...after]);
  });

  test('a bin that is not there is refused', () => {
    expect(() => world([]).act(binId('other'), { kind: 'put', quantity: 1 })).toThrow(RangeError);
  });
});

test('a table of the scenario decides when people work', () => {
  const rhythm = hourlyShares([{ days: [3], from: 22, to: 23, weight: 2 }]);
  const outflow = { kind: 'picks', rhythm, perDay: 50, pickMin: 1, pickMax: 1 } as const;
  const course = world([], [], { ...SHELF, outflow });
  const picks = course.advance(FROM + 14 * DAY_MS).filter(({ kind }) => kind === 'consumption');
  expect(picks.length).toBeGreaterThan(60);
  for (const { at: time } of picks) {
    const local = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO('Europe/Berlin');
    expect([local.dayOfWeek, local.hour]).toEqual([3, 22]);
  }
});

test('what is hardly ever used is never used, and asking for it takes no time', () => {
  const outflow = { kind: 'picks', rhythm: 'one-shift', perDay: 1e-9, pickMin: 1, pickMax: 1 };
  const course = world([], [], { ...SHELF, outflow } as BinModel);
  expect(course.advance(FROM + 365 * DAY_MS)).toEqual([]);
});
