import { describe, expect, test } from 'vitest';
import { agentId, binId, epoch, productId, siteId, type BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import { decodeBatch, encodeBatch, type Batch } from '#shared/wire/batch.ts';
import type { KnownBin } from './checks.ts';
import { draftGroup, refuseConflict, type Arrival, type Known } from './draft.ts';

const NOW = 1_760_000_000_000;
const north = agentId('north');
const box = epoch('e1');
const a1 = binId('a1');
const setup = {
  from: NOW - 1_000_000,
  product: productId('screw'),
  unit: 'piece',
  tareMg: 0,
  pieceMassMg: 2_000,
  capacityMg: 1_000_000,
} as const;
const bins: ReadonlyMap<BinId, KnownBin> = new Map([
  [a1, { site: siteId('hall'), setups: [setup] }],
  [binId('other'), { site: siteId('elsewhere'), setups: [setup] }],
]);

const known = (seq = 0): Known => ({
  sites: new Map([[north, siteId('hall')]]),
  bins,
  cursor: () => seq,
});

const reading = (at: number, change: Partial<Reading> = {}): Reading => ({
  bin: a1,
  at,
  value: 1_000,
  unit: 'mg',
  samples: 5,
  spread: 3,
  quality: 'good',
  synced: true,
  ...change,
});

function arrival(batch: Partial<Batch>, agent: string = north): Arrival {
  const whole: Batch = { epoch: box, seq: 1, oldest: 1, readings: [], gaps: [], ...batch };
  const payload = new TextEncoder().encode(encodeBatch(whole));
  return { agent, receivedMs: NOW, payload, decoded: decodeBatch(payload) };
}

function rawArrival(payload: string): Arrival {
  const bytes = new TextEncoder().encode(payload);
  return { agent: north, receivedMs: NOW, payload: bytes, decoded: decodeBatch(bytes) };
}

const receiptOf = (draft: ReturnType<typeof draftGroup>) => [...draft.receipts.values()][0];

test('a count is refused where a bulk product is in the bin, and only since then', () => {
  const bulk = { ...setup, from: NOW - 500, unit: 'mg', pieceMassMg: null } as const;
  const changed = new Map([[a1, { site: siteId('hall'), setups: [setup, bulk] }]]);
  const readings = [
    reading(NOW - 600, { unit: 'count' }),
    reading(NOW - 400, { unit: 'count' }),
    reading(NOW - 300),
    reading(NOW - 200, { unit: 'permille' }),
  ];
  const draft = draftGroup([arrival({ readings })], { ...known(), bins: changed });
  expect(draft.readings.map(({ at }) => at - NOW)).toEqual([-600, -300, -200]);
  expect(draft.refused.map(({ reason }) => reason)).toEqual([
    'unit: a1 holds a bulk product, which a count says nothing of',
  ]);
});

test('batches of a group move the cursor one after the other', () => {
  const draft = draftGroup(
    [
      arrival({ seq: 1, readings: [reading(NOW - 3)] }),
      arrival({ seq: 2, readings: [reading(NOW - 2)] }),
      arrival({ seq: 4, readings: [reading(NOW)] }),
      arrival({ seq: 1, readings: [reading(NOW - 3)] }),
    ],
    known(),
  );
  expect(draft.readings.map(({ at }) => at)).toEqual([NOW - 3, NOW - 2]);
  expect(receiptOf(draft)).toMatchObject({ upTo: 2, rejected: [] });
  expect(draft.batches).toMatchObject({ next: 2, ahead: 1, duplicate: 1, jump: 0 });
});

test('an unknown agent gets no receipt and its message is kept', () => {
  const draft = draftGroup([arrival({ readings: [reading(NOW)] }, 'stranger')], known());
  expect(draft.receipts.size).toBe(0);
  expect(draft.readings).toEqual([]);
  expect(draft.refused).toMatchObject([{ agent: 'stranger', reason: 'unknown agent' }]);
});

test('a batch of which only the header can be read is refused, and the queue moves on', () => {
  const draft = draftGroup(
    [
      rawArrival('{"epoch":"e1","seq":1,"oldest":1,"readings":7}'),
      arrival({ seq: 2, readings: [reading(NOW)] }),
    ],
    known(),
  );
  expect(draft.refused).toMatchObject([{ epoch: 'e1', seq: 1 }]);
  expect(receiptOf(draft)).toMatchObject({ upTo: 2, rejected: [{ seq: 1 }] });
  expect(draft.readings).toHaveLength(1);
});

test('what is not even a batch is kept without a receipt', () => {
  const draft = draftGroup([rawArrival('garbage')], known());
  expect(draft.receipts.size).toBe(0);
  expect(draft.refused).toHaveLength(1);
});

test('a jump is taken, and says until when readings may be missing', () => {
  const batch = arrival({ seq: 9, oldest: 9, readings: [reading(NOW - 5), reading(NOW - 4)] });
  const draft = draftGroup([batch], known(3));
  expect(draft.jumps).toEqual([{ agent: north, site: 'hall', lost: 5, untilMs: NOW - 5 }]);
  expect(receiptOf(draft)).toMatchObject({ upTo: 9 });
});

test('a reading that is refused does not say until when others may be missing', () => {
  const rows = [reading(setup.from - 1), reading(NOW - 4)];
  const draft = draftGroup([arrival({ seq: 9, oldest: 9, readings: rows })], known(3));
  expect(draft.jumps).toMatchObject([{ lost: 5, untilMs: NOW - 4 }]);
});

describe('rows', () => {
  test.each([
    ['a bin of another site', { bin: binId('other') }, /there is no other at hall/],
    ['a bin nobody knows', { bin: binId('b9') }, /there is no b9/],
    ['before the bin was set up', { at: setup.from - 1 }, /before the bin was set up/],
    ['from the future', { at: NOW + 3_600_000 }, /ahead of the cloud's clock/],
    ['beyond any scale', { value: 1e15 }, /beyond any scale/],
  ])('%s are refused and told, the others are taken', (_, change, reason) => {
    const rows = [reading(NOW - 9), reading(NOW - 8, change), reading(NOW - 7)];
    const draft = draftGroup([arrival({ readings: rows })], known());
    expect(draft.readings.map(({ at }) => at)).toEqual([NOW - 9, NOW - 7]);
    const rejected = [{ seq: 1, index: 1, reason: expect.stringMatching(reason) as string }];
    expect(receiptOf(draft)?.rejected).toEqual(rejected);
    expect(draft.refused).toMatchObject([{ agent: north, epoch: 'e1', seq: 1, index: 1 }]);
  });

  test('are refused as the batch that came where there are too many, and good ones are taken', () => {
    const bad = Array.from({ length: 501 }, (_, row) => reading(NOW - row, { bin: binId('b9') }));
    const batch = arrival({ readings: [...bad, reading(NOW)] });
    const draft = draftGroup([batch], known());
    expect(draft.readings).toHaveLength(1);
    const reason = expect.stringMatching(/^501 rows .* b9/) as string;
    expect(draft.refused).toMatchObject([{ seq: 1, reason, payload: batch.payload }]);
    expect(receiptOf(draft)?.rejected).toEqual([{ seq: 1, reason }]);
  });

  test('time that does not advance within a batch is refused', () => {
    const rows = [reading(NOW - 9), reading(NOW - 9, { value: 1 }), reading(NOW - 10)];
    const draft = draftGroup([arrival({ readings: rows })], known());
    expect(draft.readings).toHaveLength(1);
    expect(receiptOf(draft)?.rejected.map(({ index }) => index)).toEqual([1, 2]);
  });

  test('a row is named by its place in the batch as sent, also after rows that were unreadable', () => {
    const batch = {
      epoch: 'e1',
      seq: 1,
      oldest: 1,
      bins: [{ bin: 'a1', unit: 'mg' }],
      from: NOW - 9,
      readings: {
        bin: [5, 0, 0, 0],
        at: [0, 1, 'x', 3],
        value: 1,
        samples: 1,
        spread: 0,
        quality: 'good',
        synced: true,
      },
    };
    const draft = draftGroup([rawArrival(JSON.stringify(batch))], known());
    expect(draft.readings.map(({ at }) => at)).toEqual([NOW - 8, NOW - 6]);
    refuseConflict(draft, 1);
    expect(receiptOf(draft)?.rejected.map(({ index }) => index)).toEqual([0, 2, 3]);
  });

  test('a gap that cannot be is refused without harm to the readings', () => {
    const gaps = [
      { bin: a1, from: NOW - 9, to: NOW - 5, count: 2, why: 'dropped' },
      { bin: a1, from: NOW - 5, to: NOW - 9, count: 2, why: 'dropped' },
    ] as const;
    const draft = draftGroup([arrival({ readings: [reading(NOW)], gaps })], known());
    expect(draft.gaps).toEqual([gaps[0]]);
    expect(draft.readings).toHaveLength(1);
    expect(receiptOf(draft)?.rejected).toEqual([{ seq: 1, reason: 'gap 1: to: before from' }]);
  });
});
