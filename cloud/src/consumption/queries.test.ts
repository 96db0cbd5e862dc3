import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { binId, customerId, productId, siteId } from '#shared/ids.ts';
import { DAY_MS, HOUR_MS, ROLLUP_MS, type QuantityUnit } from '#shared/units.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import type { Scope } from '../database/database.ts';
import type { NewRow } from '../database/tables.ts';
import { MOVEMENT_KINDS } from './core/model.ts';
import { bucketOf, stepStarts } from './core/steps.ts';
import { consumption, OWN, type ConsumptionAmount, type ConsumptionQuery } from './queries.ts';

const START = Date.parse('2026-03-29T00:00Z');
const SPAN = 4 * HOUR_MS;

const SITES = [
  { site: 'acme-1', customer: 'acme' },
  { site: 'acme-2', customer: 'acme' },
  { site: 'beta-1', customer: 'beta' },
  { site: 'depot', customer: null },
] as const;
const BINS = SITES.flatMap(({ site, customer }) =>
  [1, 2].map((n) => ({ bin: `${site}-${n}`, site, customer })),
);
const UNITS = { screw: 'piece', nut: 'piece', resin: 'mg' } as const;
const PRODUCTS = Object.keys(UNITS) as (keyof typeof UNITS)[];

let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase();
  const { sql } = db.database;
  await sql
    .insertInto('customer')
    .values(['acme', 'beta'].map((id) => ({ id: customerId(id), name: id })))
    .execute();
  await sql
    .insertInto('site')
    .values(
      SITES.map(({ site, customer }) => ({
        id: siteId(site),
        customer_id: customer === null ? null : customerId(customer),
        name: site,
        time_zone: 'UTC',
      })),
    )
    .execute();
  await sql
    .insertInto('product')
    .values(
      PRODUCTS.map((id) => ({
        id: productId(id),
        name: id,
        unit: UNITS[id],
        piece_mass_mg: UNITS[id] === 'piece' ? 1_000 : null,
      })),
    )
    .execute();
  await sql
    .insertInto('bin')
    .values(
      BINS.map(({ bin, site }) => ({
        id: binId(bin),
        site_id: siteId(site),
        name: bin,
        capacity_mg: 1,
      })),
    )
    .execute();
  // A customer sees the products that its bins were ever set up for.
  await sql
    .insertInto('bin_setup')
    .values(
      BINS.flatMap(({ bin }) =>
        PRODUCTS.map((product, at) => ({
          bin_id: binId(bin),
          from_ms: at,
          product_id: productId(product),
          tare_mg: 0,
          piece_mass_mg: null,
        })),
      ),
    )
    .execute();
});
afterAll(() => db.close());

interface Entry {
  readonly bin: string;
  readonly product: (typeof PRODUCTS)[number];
  readonly at: number;
  readonly kind: (typeof MOVEMENT_KINDS)[number];
  readonly amount: number;
  /** How much less and more it may have been. */
  readonly slack: readonly [number, number];
  readonly superseded: boolean;
}
interface Watch {
  readonly bin: string;
  readonly product: (typeof PRODUCTS)[number];
  readonly bucket: number;
  readonly exposureMs: number;
}
interface World {
  readonly entries: readonly Entry[];
  readonly watches: readonly Watch[];
}

const bin = fc.constantFrom(...BINS.map(({ bin }) => bin));
const product = fc.constantFrom(...PRODUCTS);
/** Few, so that movements and ends of periods often meet; at the edges of buckets and between. */
const instant = fc
  .tuple(fc.nat({ max: SPAN / ROLLUP_MS }), fc.constantFrom(-1, 0, 1, 400_000))
  .map(([bucket, off]) => START + bucket * ROLLUP_MS + off);
const world: fc.Arbitrary<World> = fc.record({
  entries: fc.array(
    fc.record({
      bin,
      product,
      at: instant,
      kind: fc.constantFrom(...MOVEMENT_KINDS),
      amount: fc.nat({ max: 1_000 }),
      slack: fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 })),
      superseded: fc.boolean(),
    }),
    { maxLength: 60 },
  ),
  watches: fc.uniqueArray(
    fc.record({
      bin,
      product,
      bucket: fc.nat({ max: SPAN / ROLLUP_MS }).map((n) => START + n * ROLLUP_MS),
      exposureMs: fc.nat({ max: ROLLUP_MS }),
    }),
    { maxLength: 60, selector: ({ bin, product, bucket }) => `${bin}/${product}/${bucket}` },
  ),
});

const query: fc.Arbitrary<ConsumptionQuery> = fc
  .record({
    ends: fc.tuple(instant, instant).filter(([a, b]) => a !== b),
    by: fc.constantFrom('bin', 'site', 'customer', 'product', 'total'),
    step: fc.constantFrom('total', 'day', 'hour', 'quarter-hour'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Kathmandu'),
    own: fc.constantFrom('exclude', 'include', 'only'),
    bin: fc.option(bin.map(binId), { nil: undefined, freq: 5 }),
    product: fc.option(product.map(productId), { nil: undefined, freq: 5 }),
    customer: fc.option(fc.constantFrom('acme', 'beta').map(customerId), {
      nil: undefined,
      freq: 5,
    }),
  } as const)
  .map(({ ends: [a, b], ...query }) => ({ ...query, from: Math.min(a, b), to: Math.max(a, b) }));

const signed = ({ kind, amount }: Entry) => (kind === 'consumption' ? -amount : amount);

async function fill({ entries, watches }: World): Promise<void> {
  const rollups = new Map<string, NewRow<'rollup'>>();
  const rollup = (bin: string, product: string, bucket: number) => {
    const key = `${bin}/${product}/${bucket}`;
    const row = rollups.get(key) ?? {
      bin_id: binId(bin),
      bucket_ms: bucket,
      product_id: productId(product),
      consumed: 0,
      refilled: 0,
      unexplained: 0,
      adjusted: 0,
      exposure_ms: 0,
      closing: null,
    };
    rollups.set(key, row);
    return row;
  };
  for (const { bin, product, bucket, exposureMs } of watches) {
    rollup(bin, product, bucket).exposure_ms = exposureMs;
  }
  for (const { bin, product, at, kind, amount, superseded } of entries) {
    if (superseded) continue;
    const row = rollup(bin, product, bucketOf(at));
    if (kind === 'consumption') row.consumed += amount;
    else if (kind === 'refill') row.refilled += amount;
    else if (kind === 'unexplained') row.unexplained += amount;
    else row.adjusted += amount;
  }
  const movements = entries.map((entry, index) => ({
    bin_id: binId(entry.bin),
    ordinal: index + 1,
    revision: 1,
    product_id: productId(entry.product),
    from_ms: entry.at - 1,
    at_ms: entry.at,
    kind: entry.kind,
    quantity: signed(entry),
    low: signed(entry) - entry.slack[1],
    high: signed(entry) + entry.slack[0],
    mass_mg: 0,
    confidence_ppm: 1_000_000,
    closing: 0,
    superseded_ms: entry.superseded ? START : null,
  }));
  await db.database.transaction(async (tx) => {
    await tx.deleteFrom('rollup').execute();
    await tx.deleteFrom('movement').execute();
    if (rollups.size > 0) {
      await tx
        .insertInto('rollup')
        .values([...rollups.values()])
        .execute();
    }
    if (movements.length > 0) await tx.insertInto('movement').values(movements).execute();
  });
}

async function ask(query: ConsumptionQuery, scope: Scope = '*') {
  const answer = await consumption((part) => db.database.scoped(scope, part), query);
  if (!answer.ok) throw new Error(answer.reason);
  return answer.rows;
}

/** The figures that are plain sums, by key and unit and, unless merged, step. */
const SUMS = [
  'consumed',
  'consumedLow',
  'consumedHigh',
  'refilled',
  'unexplained',
  'adjusted',
  'exposureMs',
] as const;
type Sums = Record<(typeof SUMS)[number], number>;

function sumsBy(
  rows: readonly ConsumptionAmount[],
  nameOf: (row: ConsumptionAmount) => string,
): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const row of rows) add(sums, nameOf(row), row);
  return sums;
}

function add(sums: Map<string, Sums>, name: string, more: Partial<Sums>): void {
  const sum = sums.get(name) ?? {
    consumed: 0,
    consumedLow: 0,
    consumedHigh: 0,
    refilled: 0,
    unexplained: 0,
    adjusted: 0,
    exposureMs: 0,
  };
  for (const figure of SUMS) sum[figure] += more[figure] ?? 0;
  sums.set(name, sum);
}

const keyAndUnit = ({ key, unit }: ConsumptionAmount) => `${key} ${unit}`;
const unitAndStep = ({ unit, from }: ConsumptionAmount) => `${unit} ${from}`;

/** Groups with nothing in them may be missing. */
const nonZero = (sums: ReadonlyMap<string, Sums>) =>
  Object.fromEntries([...sums].filter(([, sum]) => SUMS.some((figure) => sum[figure] !== 0)));

const placeOf = (bin: string) => BINS.find((place) => place.bin === bin);

function keyOf(query: ConsumptionQuery, bin: string, product: string): string {
  const place = placeOf(bin);
  const keys = {
    bin,
    site: place?.site ?? '',
    customer: place?.customer ?? OWN,
    product,
    total: 'total',
  };
  return keys[query.by];
}

const isAsked = (query: ConsumptionQuery, bin: string, product: string) => {
  const customer = placeOf(bin)?.customer ?? null;
  return (
    (query.bin ?? bin) === bin &&
    (query.product ?? product) === product &&
    (query.customer ?? customer) === customer &&
    (query.own === 'include' || (query.own === 'only') === (customer === null))
  );
};

/** What the answer must be, from movements alone. */
function naive({ entries, watches }: World, query: ConsumptionQuery): Map<string, Sums> {
  const starts = stepStarts(query, query.step, query.timeZone);
  const sums = new Map<string, Sums>();
  const name = (bin: string, product: keyof typeof UNITS, step: number) =>
    `${keyOf(query, bin, product)} ${UNITS[product]} ${starts[step]}`;
  for (const entry of entries) {
    const { bin, product, at, kind, amount, slack } = entry;
    if (entry.superseded || at < query.from || at >= query.to) continue;
    if (!isAsked(query, bin, product)) continue;
    const step = starts.findLastIndex((start) => start <= at);
    const [less, more] = slack;
    add(sums, name(bin, product, step), {
      ...(kind === 'consumption' && {
        consumed: amount,
        consumedLow: amount - less,
        consumedHigh: amount + more,
      }),
      ...(kind === 'refill' && { refilled: amount, consumedHigh: Math.max(0, less - more) }),
      ...(kind === 'unexplained' && { unexplained: amount }),
      ...(kind === 'adjustment' && { adjusted: amount }),
    });
  }
  for (const { bin, product, bucket, exposureMs } of watches) {
    if (!isAsked(query, bin, product)) continue;
    const until = (at: number) =>
      Math.floor((exposureMs * Math.min(Math.max(at - bucket, 0), ROLLUP_MS)) / ROLLUP_MS);
    for (const [step, start] of starts.entries()) {
      const share = until(starts[step + 1] ?? query.to) - until(start);
      add(sums, name(bin, product, step), { exposureMs: share });
    }
  }
  return sums;
}

test('any answer is the naive sum over the movements', async () => {
  await fc.assert(
    fc.asyncProperty(
      world,
      fc.array(query, { minLength: 8, maxLength: 8 }),
      async (world, asked) => {
        await fill(world);
        for (const query of asked) {
          const rows = await ask(query);
          const sums = sumsBy(rows, ({ key, unit, from }) => `${key} ${unit} ${from}`);
          expect(nonZero(sums)).toEqual(nonZero(naive(world, query)));
        }
      },
    ),
    { numRuns: 20 },
  );
});

test('whatever a period is split into adds up to the whole', async () => {
  const cuts = fc.uniqueArray(instant, { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(world, query, cuts, async (world, query, cuts) => {
      await fill(world);
      const inside = cuts.filter((cut) => cut > query.from && cut < query.to);
      const ends = [query.from, ...inside.toSorted((a, b) => a - b), query.to];
      const parts: ConsumptionAmount[] = [];
      for (const [index, to] of ends.slice(1).entries()) {
        parts.push(...(await ask({ ...query, from: ends[index] ?? to, to })));
      }
      expect(nonZero(sumsBy(parts, keyAndUnit))).toEqual(
        nonZero(sumsBy(await ask(query), keyAndUnit)),
      );
    }),
    { numRuns: 20 },
  );
});

test('the total is the sum over customers, over sites, over bins and over products', async () => {
  await fc.assert(
    fc.asyncProperty(world, query, async (world, query) => {
      await fill(world);
      const total = nonZero(sumsBy(await ask({ ...query, by: 'total' }), unitAndStep));
      for (const by of ['customer', 'site', 'bin', 'product'] as const) {
        expect(nonZero(sumsBy(await ask({ ...query, by }), unitAndStep))).toEqual(total);
      }
    }),
    { numRuns: 15 },
  );
});

test('a customer is told what the supplier is told of that customer alone', async () => {
  await fc.assert(
    fc.asyncProperty(world, query, async (world, query) => {
      await fill(world);
      const acme = customerId('acme');
      const { customer: _, ...asked } = query;
      expect(await ask(asked, acme)).toEqual(await ask({ ...asked, customer: acme }));
    }),
    { numRuns: 15 },
  );
});

const PERIOD = { from: START, to: START + HOUR_MS, own: 'include', timeZone: 'UTC' } as const;

const watch = (bin: string, product: Watch['product'], exposureMs: number): Watch[] =>
  [0, 1, 2, 3].map((n) => ({ bin, product, bucket: START + n * ROLLUP_MS, exposureMs }));
const taken = (bin: string, product: Entry['product'], at: number, amount: number): Entry => ({
  bin,
  product,
  at: START + at,
  kind: 'consumption',
  amount,
  slack: [0, 0],
  superseded: false,
});

const speeds = (rows: readonly ConsumptionAmount[]) =>
  rows.map(({ key, unit, perDay }) => [key, unit, perDay === null ? null : Math.round(perDay)]);

test("a group's speed is the sum of its bins', each over the time it was watched", async () => {
  await fill({
    entries: [taken('acme-1-1', 'screw', 1, 10), taken('acme-1-2', 'screw', 2, 10)],
    watches: [
      ...watch('acme-1-1', 'screw', ROLLUP_MS),
      ...watch('acme-1-2', 'screw', ROLLUP_MS / 2),
    ],
  });
  expect(speeds(await ask({ ...PERIOD, by: 'bin', step: 'total' }))).toEqual([
    ['acme-1-1', 'piece', 240],
    ['acme-1-2', 'piece', 480],
  ]);
  expect(speeds(await ask({ ...PERIOD, by: 'total', step: 'total' }))).toEqual([
    ['total', 'piece', 720],
  ]);
});

test('a bin that changed its product was watched for one after the other', async () => {
  await fill({
    entries: [taken('acme-1-1', 'screw', 1, 5), taken('acme-1-1', 'nut', HOUR_MS - 1, 5)],
    watches: [
      ...watch('acme-1-1', 'screw', ROLLUP_MS).slice(0, 2),
      ...watch('acme-1-1', 'nut', ROLLUP_MS).slice(2),
    ],
  });
  const perDay = (10 * DAY_MS) / HOUR_MS;
  expect(speeds(await ask({ ...PERIOD, by: 'bin', step: 'total' }))).toEqual([
    ['acme-1-1', 'piece', perDay],
  ]);
  expect(speeds(await ask({ ...PERIOD, by: 'product', step: 'total' }))).toEqual([
    ['nut', 'piece', perDay],
    ['screw', 'piece', perDay],
  ]);
});

test('what nobody watched has no speed, and pieces are never added to milligrams', async () => {
  await fill({
    entries: [taken('acme-1-1', 'screw', 1, 5), taken('acme-1-2', 'resin', 1, 7_000)],
    watches: [],
  });
  const rows = await ask({ ...PERIOD, by: 'total', step: 'total' });
  expect(rows.map(({ unit, consumed, perDay }) => ({ unit, consumed, perDay }))).toEqual([
    { unit: 'mg' satisfies QuantityUnit, consumed: 7_000, perDay: null },
    { unit: 'piece' satisfies QuantityUnit, consumed: 5, perDay: null },
  ]);
});

test('an empty period and one of too many steps are refused', async () => {
  const query = { ...PERIOD, by: 'total' } as const;
  const refused = (more: Partial<ConsumptionQuery> & Pick<ConsumptionQuery, 'step'>) =>
    consumption((part) => db.database.scoped('*', part), { ...query, ...more });
  expect(await refused({ to: START, step: 'total' })).toEqual({
    ok: false,
    reason: 'empty-period',
  });
  expect(await refused({ from: 0, step: 'quarter-hour' })).toEqual({
    ok: false,
    reason: 'too-many-steps',
  });
});

test('a commit comes between the parts of a long question', async () => {
  const order: string[] = [];
  let commit: Promise<unknown> | undefined;
  const query = { from: 0, to: START + SPAN, by: 'total', step: 'total' } as const;
  const answered = consumption(
    async (part) => {
      const result = await db.database.scoped('*', part);
      order.push('part');
      commit ??= db.database.transaction(async () => order.push('commit'));
      return result;
    },
    { ...PERIOD, ...query },
  );
  expect(await answered).toMatchObject({ ok: true });
  await commit;
  expect(order.length).toBeGreaterThan(BINS.length);
  expect(order.indexOf('commit')).toBeLessThan(3);
});
