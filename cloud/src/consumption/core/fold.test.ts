import { describe, expect, test } from 'vitest';
import { productId } from '#shared/ids.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import { foldReading, newestAt, openRollup, startFold, stockOf, type FoldOutput } from './fold.ts';
import type { BinSetup, FoldReading, Movement } from './model.ts';

const T0 = Date.UTC(2026, 0, 5, 8);
const TARE_MG = 250_000;
const screws: BinSetup = {
  from: 0,
  product: productId('screws'),
  unit: 'piece',
  tareMg: TARE_MG,
  pieceMassMg: 2_000,
  capacityMg: 6_000_000,
};
const pellets: BinSetup = {
  ...screws,
  product: productId('pellets'),
  unit: 'mg',
  pieceMassMg: null,
  capacityMg: 50_000_000,
};

/** A bin under test: net values in mg, unless told otherwise, at seconds since T0. */
function bin(setups: readonly BinSetup[] = [screws]) {
  const state = startFold();
  const out: FoldOutput = { movements: [], rollups: [] };
  const read = (second: number, reading: Partial<FoldReading>): void => {
    const at = T0 + second * SECOND_MS;
    const plain = { at, value: 0, unit: 'mg', samples: 10, spread: 20, quality: 'good' } as const;
    foldReading(state, setups, { ...plain, ...reading }, out);
  };
  return {
    state,
    out,
    read,
    /** Each level is seen twice, a minute apart; @returns second of the next reading */
    hold: (second: number, netMg: number, minutes = 2): number => {
      for (let i = 0; i < minutes; i += 1) read(second + i * 60, { value: TARE_MG + netMg });
      return second + minutes * 60;
    },
    weigh: (second: number, netMg: number, rest: Partial<FoldReading> = {}): void =>
      read(second, { value: TARE_MG + netMg, ...rest }),
    booked: () => out.movements.map(({ kind, quantity }) => `${kind} ${quantity}`),
    last: (): Movement | undefined => out.movements.at(-1),
  };
}

describe('opening', () => {
  test('the first good reading makes the opening stock, an adjustment from nothing', () => {
    const { state, hold, last } = bin();
    hold(0, 200_400, 1);
    expect(last()).toMatchObject({ ordinal: 1, kind: 'adjustment', quantity: 100, closing: 100 });
    expect(stockOf(state)).toEqual({
      at: T0,
      product: 'screws',
      quantity: 100,
      massMg: 200_400,
      quality: 'good',
    });
  });

  test('there is no stock before the first good reading', () => {
    const { state, read } = bin();
    read(0, { value: null, samples: 0, quality: 'comm-error' });
    expect(stockOf(state)).toBeNull();
    expect(openRollup(state)).toBeNull();
    expect(newestAt(state)).toBe(T0);
  });

  test('an opening level that does not last was no stock: leaving it is no consumption', () => {
    const { weigh, hold, booked } = bin();
    weigh(0, 900_000);
    weigh(20, 200_000);
    hold(80, 200_000);
    expect(booked()).toEqual(['adjustment 450', 'adjustment -350']);
  });

  test('readings before the first setup are ignored', () => {
    const { state, hold, out } = bin([{ ...screws, from: T0 + HOUR_MS }]);
    hold(0, 200_000);
    expect(out.movements).toEqual([]);
    expect(newestAt(state)).toBe(0);
  });

  test('a reading that is not newer is the caller’s mistake', () => {
    const { hold, weigh } = bin();
    hold(60, 200_000, 1);
    expect(() => weigh(60, 200_000)).toThrow(RangeError);
  });
});

describe('pieces', () => {
  test('a change that lasts is booked once it was seen again, dated when it was first seen', () => {
    const { hold, weigh, last, out } = bin();
    const second = hold(0, 200_000);
    weigh(second, 190_010, { samples: 5 });
    expect(out.movements).toHaveLength(1);
    weigh(second + 60, 190_010);
    expect(last()).toMatchObject({
      from: T0 + (second - 60) * SECOND_MS,
      at: T0 + second * SECOND_MS,
      kind: 'consumption',
      quantity: -5,
      low: -5,
      high: -5,
      massMg: -9_990,
      closing: 95,
    });
  });

  test('a hand that leans for a minute books nothing', () => {
    const { hold, weigh, booked } = bin();
    const second = hold(0, 200_000);
    weigh(second, 260_000, { samples: 5 });
    weigh(second + 30, 260_000, { samples: 5 });
    hold(second + 40, 200_000);
    expect(booked()).toEqual(['adjustment 100']);
  });

  test('a hand that leans right before a silence books nothing', () => {
    const { hold, weigh, booked } = bin();
    const second = hold(0, 200_000);
    weigh(second, 260_000, { samples: 5 });
    hold(second + 7_200, 180_000);
    expect(booked()).toEqual(['adjustment 100', 'consumption -10']);
  });

  test('single samples, one a second, are as good as settled readings', () => {
    const { weigh, booked } = bin();
    const noise = [-200, 100, 0, 150, -50, 0];
    for (let second = 0; second < 600; second += 1) {
      const net = second < 300 ? 200_000 : 194_000;
      weigh(second, net + (noise[second % noise.length] ?? 0), { samples: 1, spread: 0 });
    }
    expect(booked()).toEqual(['adjustment 100', 'consumption -3']);
  });

  test('goods that go on leaving are booked as they go, without waiting for the last', () => {
    const { hold, weigh, booked } = bin();
    let second = hold(0, 200_000);
    for (const net of [194_000, 190_000, 188_000, 180_000]) {
      weigh(second, net, { samples: 5 });
      second += 20;
    }
    hold(second + 60, 180_000, 1);
    expect(booked()).toEqual([
      'adjustment 100',
      'consumption -3',
      'consumption -2',
      'consumption -1',
      'consumption -4',
    ]);
  });

  test('a refill counts apart from what is taken while it is filled in', () => {
    const { hold, weigh, booked } = bin();
    const second = hold(0, 200_000);
    weigh(second, 600_000, { samples: 5 });
    weigh(second + 20, 594_000, { samples: 5 });
    hold(second + 80, 594_000);
    expect(booked()).toEqual(['adjustment 100', 'refill 200', 'consumption -3']);
  });

  test('the weight of a piece is learned, and what the catalogue’s made wrong is adjusted', () => {
    const { state, hold, booked } = bin();
    // In truth 1,000 pieces of 2,030 mg, taken three at a time.
    let second = hold(0, 2_030_000);
    for (let taken = 3; taken <= 90; taken += 3) second = hold(second, 2_030_000 - taken * 2_030);
    expect(booked().filter((entry) => entry !== 'consumption -3')).toEqual([
      'adjustment 1015',
      expect.stringMatching(/^adjustment -1[3-7]$/),
    ]);
    expect(Math.abs((stockOf(state)?.quantity ?? 0) - 910)).toBeLessThanOrEqual(2);
  });

  test('a drift of three pieces in a day is no consumption', () => {
    const { hold, booked } = bin();
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      hold(minute * 60, 200_000 - Math.round((minute * 6_000) / (24 * 60)), 1);
    }
    expect(booked()).toEqual(['adjustment 100']);
  });

  test('what is no whole number of pieces is unexplained, and cancelled when it leaves', () => {
    const { hold, booked, last, state } = bin();
    let second = hold(0, 200_000, 3);
    second = hold(second, 206_900, 3);
    expect(last()).toMatchObject({ kind: 'unexplained', quantity: 3, low: 0, high: 3 });
    second = hold(second, 202_900, 3);
    hold(second, 196_000, 3);
    expect(booked()).toEqual([
      'adjustment 100',
      'unexplained 3',
      'consumption -2',
      'unexplained -3',
    ]);
    expect(stockOf(state)?.quantity).toBe(98);
  });

  test('more taken than was counted shows that too little was counted', () => {
    const { hold, booked, state } = bin();
    const second = hold(0, 10_000);
    hold(second, 0 - 2_000);
    expect(booked()).toEqual(['adjustment 5', 'adjustment 1', 'consumption -6']);
    expect(stockOf(state)?.quantity).toBe(0);
  });

  test('a count needs no lattice and no learning', () => {
    const { state, read, booked } = bin();
    const count = (second: number, value: number) =>
      read(second, { value, unit: 'count', samples: 5, spread: 0 });
    count(0, 3_000);
    count(60, 3_000);
    count(120, 2_993);
    count(180, 2_993);
    count(240, 5_993);
    count(300, 5_993);
    expect(booked()).toEqual(['adjustment 3000', 'consumption -7', 'refill 3000']);
    expect(state.piece?.variance).toBe(0);
  });

  test('a fill level in permille is a share of the capacity', () => {
    const { state, read } = bin();
    read(0, { value: 500, unit: 'permille', spread: 0 });
    expect(stockOf(state)).toMatchObject({ quantity: 1_500, massMg: 3_000_000 });
  });
});

describe('gaps', () => {
  test('after a silence only the net is known: consumption lies between bounds', () => {
    const { hold, last } = bin();
    const second = hold(0, 200_000);
    hold(second + 7_200, 180_000);
    expect(last()).toMatchObject({ kind: 'consumption', quantity: -10, low: -100, high: -10 });
  });

  test('a refill found after a silence may hide all that was there before', () => {
    const { hold, last } = bin();
    const second = hold(0, 20_000);
    hold(second + 7_200, 30_000);
    expect(last()).toMatchObject({ kind: 'refill', quantity: 5, low: 5, high: 15 });
  });

  test('a fault that lasts is a silence, a few unstable readings are not', () => {
    const { hold, read, last } = bin();
    let second = hold(0, 200_000);
    read(second, { value: null, samples: 0, quality: 'unstable' });
    second = hold(second + 20, 190_000);
    expect(last()).toMatchObject({ quantity: -5, low: -5 });
    read(second, { value: null, samples: 0, quality: 'comm-error' });
    hold(second + 600, 180_000);
    expect(last()).toMatchObject({ quantity: -5, low: -95, high: -5 });
  });

  test('readings that are not good change no stock and end the exposure', () => {
    const { hold, read, out, state } = bin();
    hold(0, 200_000, 6);
    for (const [i, quality] of (['unstable', 'overload', 'stale'] as const).entries()) {
      read(360 + i * 60, { value: TARE_MG + 500_000, quality });
    }
    expect(out.movements).toHaveLength(1);
    expect(stockOf(state)).toMatchObject({ quantity: 100, quality: 'stale' });
    expect(openRollup(state)?.exposureMs).toBe(6 * MINUTE_MS);
  });

  test('a container that is lifted off is no consumption', () => {
    const { hold, weigh, booked } = bin();
    let second = hold(0, 200_000);
    for (let i = 0; i < 5; i += 1) weigh(second + i * 60, -TARE_MG);
    second = hold(second + 300, 196_000);
    expect(booked()).toEqual(['adjustment 100', 'consumption -2']);
  });
});

describe('bulk', () => {
  test('a step is booked in full', () => {
    const { hold, weigh, last } = bin([pellets]);
    const second = hold(0, 30_000_000);
    weigh(second, 28_750_000, { samples: 5 });
    weigh(second + 60, 28_750_040);
    expect(last()).toMatchObject({ kind: 'consumption', at: T0 + second * SECOND_MS });
    expect(last()?.closing).toBeCloseTo(28_750_000, -2);
  });

  test('a slow flow is booked though no step is seen', () => {
    const { hold, out, state } = bin([pellets]);
    // 2 kg an hour for ten hours.
    for (let minute = 0; minute < 600; minute += 1) {
      hold(minute * 60, 30_000_000 - Math.round((minute * 2_000_000) / 60), 1);
    }
    const consumed = out.movements.filter(({ kind }) => kind === 'consumption');
    const total = consumed.reduce((sum, { quantity }) => sum - quantity, 0);
    expect(total).toBeGreaterThan(19_700_000);
    expect(total).toBeLessThan(20_100_000);
    expect(out.movements.filter(({ kind }) => kind === 'refill')).toEqual([]);
    expect(stockOf(state)?.quantity).toBeLessThan(10_300_000);
  });
});

describe('setups', () => {
  test('another product closes the old one’s ledger at nothing and opens its own', () => {
    const nuts = { ...screws, from: T0 + 200_000, product: productId('nuts'), pieceMassMg: 5_000 };
    const { state, hold, out } = bin([screws, nuts]);
    const second = hold(0, 200_000, 3);
    hold(second + 60, 200_000);
    expect(out.movements.slice(1)).toMatchObject([
      { product: 'screws', kind: 'adjustment', quantity: -100, closing: 0, at: nuts.from },
      { product: 'nuts', kind: 'adjustment', quantity: 40, closing: 40 },
    ]);
    expect(out.rollups.at(-1)).toMatchObject({ product: 'screws', adjusted: 0, closing: 0 });
    expect(openRollup(state)).toMatchObject({ product: 'nuts', adjusted: 40, closing: 40 });
  });

  test('another tare or piece mass adjusts the stock from its date on', () => {
    const heavier = { ...screws, from: T0 + 200_000, tareMg: TARE_MG + 20_000 };
    const halved = { ...heavier, from: T0 + 400_000, pieceMassMg: 1_000 };
    const { hold, booked, out } = bin([screws, heavier, halved]);
    hold(0, 200_000, 10);
    expect(booked()).toEqual(['adjustment 100', 'adjustment -10', 'adjustment 90']);
    expect(out.movements.map(({ at }) => at)).toEqual([T0, heavier.from, halved.from]);
  });

  test('another capacity changes nothing', () => {
    const { hold, booked } = bin([
      screws,
      { ...screws, from: T0 + 200_000, capacityMg: 9_000_000 },
    ]);
    hold(0, 200_000, 10);
    expect(booked()).toEqual(['adjustment 100']);
  });
});

describe('rollups', () => {
  test('an empty bin is not exposed to consumption', () => {
    const { hold, state } = bin();
    const second = hold(0, 4_000, 4);
    hold(second, 0, 4);
    expect(stockOf(state)?.quantity).toBe(0);
    // Watched until the decision, a minute after the last piece had gone.
    expect(openRollup(state)?.exposureMs).toBe(5 * MINUTE_MS);
  });

  test('a silence counts as watched for no longer than half an hour', () => {
    const { hold, out, state } = bin();
    hold(0, 200_000, 1);
    hold(86_400, 200_000, 1);
    const total = out.rollups.reduce((sum, { exposureMs }) => sum + exposureMs, 0);
    expect(total).toBe(30 * MINUTE_MS);
    expect(state.open).toEqual([]);
  });

  test('a bucket closes once no pending change can still fall into it', () => {
    const { hold, weigh, out } = bin();
    hold(0, 200_000, 15);
    weigh(14 * 60 + 30, 190_000, { samples: 5 });
    weigh(15 * 60 + 5, 190_000);
    expect(out.rollups).toEqual([]);
    weigh(16 * 60, 190_000);
    expect(out.rollups).toMatchObject([{ bucket: T0, consumed: 5, adjusted: 100, closing: 95 }]);
  });
});
