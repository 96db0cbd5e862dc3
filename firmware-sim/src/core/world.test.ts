import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binId, productId } from '#shared/ids.ts';
import { DAY_MS, HOUR_MS } from '#shared/units.ts';
import type { BinModel, WorldEvent } from './model.ts';
import { nextWorking } from './working-hours.ts';
import { createWorld } from './world.ts';

const FROM = Date.UTC(2026, 2, 2);
const WEEKS = 3 * 7 * DAY_MS;
const screw = productId('screw');
const granulate = productId('granulate');

const STORE: BinModel = {
  bin: binId('store'),
  product: screw,
  piece: { massMg: 2000, scatterMg: 20 },
  timeZone: 'Europe/Berlin',
  stock: { initial: 2500, refillAt: 1500, refillTo: 3000, refillDelayH: 20 },
  outflow: { kind: 'shipments', rhythm: 'one-shift' },
};
const SHELF: BinModel = {
  ...STORE,
  bin: binId('shelf'),
  timeZone: 'Asia/Shanghai',
  stock: { initial: 700, refillAt: 300, refillTo: 1000, refillDelayH: 24 },
  outflow: { kind: 'picks', rhythm: 'two-shift', perDay: 300, pickMin: 2, pickMax: 12 },
};
const SILO: BinModel = {
  bin: binId('silo'),
  product: granulate,
  piece: null,
  timeZone: 'Europe/Berlin',
  stock: { initial: 60_000_000, refillAt: 20_000_000, refillTo: 90_000_000, refillDelayH: 12 },
  outflow: {
    kind: 'picks',
    rhythm: 'round-the-clock',
    perDay: 30_000_000,
    pickMin: 200_000,
    pickMax: 2_000_000,
  },
};
const MODELS = [STORE, SHELF, SILO];

const world = (seed = 7) =>
  createWorld({ models: MODELS, seed, era: { from: FROM, liveFrom: FROM } });
const of = (events: readonly WorldEvent[], model: BinModel): readonly WorldEvent[] =>
  events.filter((event) => event.bin === model.bin);

describe('the course of events', () => {
  test('is the same however it is asked for', () => {
    const whole = world().advance(FROM + WEEKS);
    const steps = fc.array(fc.integer({ min: -HOUR_MS, max: 5 * DAY_MS }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, (deltas) => {
        const stepped = world();
        const events: WorldEvent[] = [];
        for (const delta of deltas) {
          events.push(...stepped.advance(Math.min(stepped.now + delta, FROM + WEEKS)));
        }
        events.push(...stepped.advance(FROM + WEEKS));
        expect(events).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test('is ordered in time and differs by seed', () => {
    const events = world().advance(FROM + WEEKS);
    expect(events.length).toBeGreaterThan(500);
    expect(events).toEqual(events.toSorted((a, b) => a.at - b.at));
    expect(world(8).advance(FROM + WEEKS)).not.toEqual(events);
  });

  test('stays within the working hours of the place', () => {
    for (const event of of(world().advance(FROM + WEEKS), SHELF)) {
      const hours = { rhythm: 'two-shift', timeZone: 'Asia/Shanghai' } as const;
      expect(nextWorking(hours, event.at - 1)).toBeLessThanOrEqual(event.at);
    }
  });

  test('uses about as much a working day as the scenario says', () => {
    const used = of(world().advance(FROM + WEEKS), SHELF)
      .filter((event) => event.kind === 'consumption')
      .reduce((sum, event) => sum - event.quantity, 0);
    // 15 weekdays and three short Saturdays of 300 pieces: about 45 picks a day, ±4 %.
    expect(used).toBeGreaterThan(3900);
    expect(used).toBeLessThan(5500);
  });
});

describe('what lies in a bin', () => {
  test('is what was there plus everything that happened, and never below nothing', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const course = world(seed);
        const start = MODELS.map(({ bin }) => {
          const { quantity, massMg } = course.content(bin);
          return { quantity, massMg };
        });
        const events = course.advance(FROM + WEEKS);
        for (const [i, model] of MODELS.entries()) {
          let { quantity = 0, massMg = 0 } = start[i] ?? {};
          for (const event of of(events, model)) {
            quantity += event.quantity;
            massMg += event.massMg;
            expect(Math.sign(event.quantity)).toBe(event.kind === 'refill' ? 1 : -1);
            expect(Math.sign(event.massMg)).toBe(Math.sign(event.quantity));
            expect(quantity).toBeGreaterThanOrEqual(0);
            expect(quantity).toBeLessThanOrEqual(model.stock.refillTo);
            // No pieces, no mass; and the other way round.
            expect(massMg > 0).toBe(quantity > 0);
          }
          expect(course.content(model.bin)).toMatchObject({ quantity, massMg });
        }
      }),
      { numRuns: 20 },
    );
  });

  test('comes from the store: what is refilled was shipped before, to the milligram', () => {
    const events = world().advance(FROM + WEEKS);
    const shipped = of(events, STORE).filter((event) => event.kind === 'consumption');
    const arrived = of(events, SHELF).filter((event) => event.kind === 'refill');
    expect(arrived.length).toBeGreaterThan(3);
    for (const [i, refill] of arrived.entries()) {
      expect(shipped[i]).toMatchObject({ quantity: -refill.quantity, massMg: -refill.massMg });
      expect(shipped[i]?.at).toBeLessThan(refill.at);
    }
  });

  test('weighs about its pieces, each a little different', () => {
    const picks = of(world().advance(FROM + WEEKS), SHELF).filter((e) => e.kind === 'consumption');
    for (const { quantity, massMg } of picks) {
      expect(Math.abs(massMg - quantity * 2000)).toBeLessThan(6 * 20 * Math.sqrt(-quantity));
    }
    expect(picks.some(({ quantity, massMg }) => massMg !== quantity * 2000)).toBe(true);
  });
});
