import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { productId } from '#shared/ids.ts';
import { QUALITIES } from '#shared/reading.ts';
import { READING_UNITS } from '#shared/units.ts';
import { liveThrough, quietWorld } from '../../../test/bin-world.ts';
import {
  foldReading,
  openRollup,
  parseFold,
  serializeFold,
  startFold,
  type FoldOutput,
  type FoldState,
} from './fold.ts';
import type { BinSetup, FoldReading, Rollup } from './model.ts';

const T0 = Date.UTC(2026, 0, 5);

const setupsArbitrary = fc
  .array(
    fc.record({
      wait: fc.integer({ min: 0, max: 3_000_000 }),
      product: fc.constantFrom(productId('a'), productId('b')),
      bulk: fc.boolean(),
      tareMg: fc.integer({ min: 0, max: 500_000 }),
      pieceMassMg: fc.integer({ min: 1, max: 600_000 }),
      capacityMg: fc.integer({ min: 1, max: 600_000_000 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((drafts) => {
    let from = T0;
    return drafts.map(({ wait, product, bulk, tareMg, pieceMassMg, capacityMg }): BinSetup => {
      from += wait;
      const unit = bulk ? 'mg' : 'piece';
      return { from, product, unit, tareMg, pieceMassMg: bulk ? null : pieceMassMg, capacityMg };
    });
  });

/** Levels that come again and again, so that plateaus arise, and now and then any value at all. */
const valueArbitrary = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 30 }).map((step) => 250_000 + step * 8_000) },
  { weight: 1, arbitrary: fc.integer({ min: -1_000_000, max: 900_000_000 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const readingsArbitrary = fc
  .array(
    fc.record({
      wait: fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 1, max: 120_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 100_000_000 }) },
      ),
      times: fc.integer({ min: 1, max: 4 }),
      value: valueArbitrary,
      unit: fc.oneof(
        { weight: 9, arbitrary: fc.constant('mg' as const) },
        { weight: 1, arbitrary: fc.constantFrom(...READING_UNITS) },
      ),
      samples: fc.integer({ min: 1, max: 600 }),
      spread: fc.integer({ min: 0, max: 3_000 }),
      quality: fc.oneof(
        { weight: 8, arbitrary: fc.constant('good' as const) },
        { weight: 1, arbitrary: fc.constantFrom(...QUALITIES) },
      ),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((drafts) => {
    let at = T0;
    return drafts.flatMap(({ wait, times, quality, ...rest }): FoldReading[] =>
      Array.from({ length: times }, () => {
        at += wait;
        return { ...rest, at, quality: rest.value === null ? 'comm-error' : quality };
      }),
    );
  });

function foldAll(
  setups: readonly BinSetup[],
  readings: readonly FoldReading[],
  between: (state: FoldState) => FoldState = (state) => state,
) {
  let state = startFold();
  const out: FoldOutput = { movements: [], rollups: [] };
  for (const reading of readings) {
    foldReading(state, setups, reading, out);
    state = between(state);
  }
  return { state, ...out };
}

/** As SQL has them: a later row of the same bucket and product replaces an earlier one. */
function upserted(rollups: readonly Rollup[], state: FoldState): Rollup[] {
  const rows = new Map<string, Rollup>();
  for (const row of [...rollups, ...state.open]) rows.set(`${row.bucket} ${row.product}`, row);
  return [...rows.values()];
}

function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
}

describe('any readings', () => {
  test('opening plus the sum of quantities is closing, movement by movement', () => {
    fc.assert(
      fc.property(setupsArbitrary, readingsArbitrary, (setups, readings) => {
        const { movements, state } = foldAll(setups, readings);
        let stock = 0;
        let at = 0;
        for (const [index, movement] of movements.entries()) {
          stock += movement.quantity;
          expect(movement.closing).toBe(stock);
          expect(movement.closing).toBeGreaterThanOrEqual(0);
          expect(movement.ordinal).toBe(index + 1);
          expect(movement.low).toBeLessThanOrEqual(movement.quantity);
          expect(movement.high).toBeGreaterThanOrEqual(movement.quantity);
          expect(movement.from).toBeLessThanOrEqual(movement.at);
          expect(movement.at).toBeGreaterThanOrEqual(at);
          ({ at } = movement);
          if (movement.kind === 'consumption') expect(movement.quantity).toBeLessThan(0);
          if (movement.kind === 'refill') expect(movement.quantity).toBeGreaterThan(0);
        }
        expect(state.stock).toBe(stock);
      }),
    );
  });

  test('rollups hold the sums of the movements of their bucket and product', () => {
    fc.assert(
      fc.property(setupsArbitrary, readingsArbitrary, (setups, readings) => {
        const { movements, rollups, state } = foldAll(setups, readings);
        const sums = new Map<string, number[]>();
        for (const { at, product, kind, quantity, closing } of movements) {
          const key = `${at - (at % 900_000)} ${product}`;
          const sum = sums.get(key) ?? [0, 0, 0, 0, 0];
          sums.set(key, sum);
          const place = ['consumption', 'refill', 'unexplained', 'adjustment'].indexOf(kind);
          sum[place] = (sum[place] ?? 0) + (kind === 'consumption' ? -quantity : quantity);
          sum[4] = closing;
        }
        let closing = 0;
        let product = '';
        for (const row of upserted(rollups, state)) {
          const key = `${row.bucket} ${row.product}`;
          const { consumed, refilled, unexplained, adjusted } = row;
          const expected = sums.get(key) ?? [
            0,
            0,
            0,
            0,
            row.product === product ? closing : row.closing,
          ];
          expect([consumed, refilled, unexplained, adjusted, row.closing]).toEqual(expected);
          expect(row.exposureMs).toBeLessThanOrEqual(900_000);
          sums.delete(key);
          closing = row.closing ?? 0;
          ({ product } = row);
        }
        expect([...sums]).toEqual([]);
      }),
    );
  });

  test('a state that is written and read between any two readings goes on just the same', () => {
    fc.assert(
      fc.property(setupsArbitrary, readingsArbitrary, (setups, readings) => {
        const straight = foldAll(setups, readings);
        const broken = foldAll(setups, readings, (state) => parseFold(serializeFold(state)));
        expect(broken).toEqual(straight);
        expect(openRollup(broken.state)).toEqual(openRollup(straight.state));
      }),
    );
  });

  test('the state is made of integers and does not grow', () => {
    fc.assert(
      fc.property(setupsArbitrary, readingsArbitrary, (setups, readings) => {
        foldAll(setups, readings, (state) => {
          expect(numbersIn(state).filter((number) => !Number.isInteger(number))).toEqual([]);
          expect(state.open.length).toBeLessThanOrEqual(12);
          return state;
        });
      }),
    );
  });
});

test('a fold that goes on from any checkpoint tells the same history', () => {
  const { setup, readings } = liveThrough({ ...quietWorld, days: 3, leans: 5, silences: 0.5 });
  const whole = foldAll([setup], readings);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: readings.length }), (cut) => {
      const before = foldAll([setup], readings.slice(0, cut));
      const state = parseFold(serializeFold(before.state));
      const after: FoldOutput = { movements: [], rollups: [] };
      for (const reading of readings.slice(cut)) foldReading(state, [setup], reading, after);
      expect([...before.movements, ...after.movements]).toEqual(whole.movements);
      expect([...before.rollups, ...after.rollups]).toEqual(whole.rollups);
      expect(state).toEqual(whole.state);
    }),
    { numRuns: 20 },
  );
});

test('a state of another version is refused, not misread', () => {
  expect(() => parseFold('{"version":0}')).toThrow(TypeError);
  expect(() => parseFold('null')).toThrow(TypeError);
  expect(() => parseFold('{')).toThrow(SyntaxError);
});
