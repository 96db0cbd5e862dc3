import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { agentId, type BinId } from '#shared/ids.ts';
import type { Quality } from '#shared/reading.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import * as seed from '../../test/master-data.ts';
import type { Scope } from '../database/database.ts';
import { changeBin } from './bins.ts';
import { LATE_MS } from './core/health.ts';
import type { LiveReading } from './core/live.ts';
import { listStock, type StockFilter } from './view.ts';
import type { Listing } from './listing.ts';

const { a1, a2, acme, acmeNorth, b1, bolt, pellets, screw, w1, warehouse } = seed;
const NOW = 100_000_000;
const north = agentId('acme-north');

let test: TestDatabase;
const newest = new Map<BinId, { at: number; quality: Quality }>();
const readings = {
  newest: (bins: readonly BinId[]) =>
    Promise.resolve(new Map([...newest].filter(([bin]) => bins.includes(bin)))),
};

const shown = new Map<BinId, LiveReading>();
const live = { live: (bin: BinId) => shown.get(bin) };

beforeAll(async () => {
  test = await openTestDatabase();
  await seed.seedMasterData(test.database);
  await test.database.sql
    .insertInto('agent')
    .values({ id: north, site_id: acmeNorth, secret_hash: '', created_ms: 0 })
    .execute();
});
afterAll(() => test.close());
beforeEach(async () => {
  newest.clear();
  shown.clear();
  for (const bin of [a1, a2, b1, w1]) newest.set(bin, { at: NOW - 1_000, quality: 'good' });
  await test.database.sql.deleteFrom('agent_status').execute();
});

const list = (query: Partial<StockFilter & Listing<BinId>> = {}, scope: Scope = '*') =>
  listStock({ database: test.database, readings, live }, scope, { limit: 100, ...query }, NOW);
const ids = async (...query: Parameters<typeof list>) =>
  (await list(...query)).map(({ binId }) => binId);

async function report(online: boolean): Promise<void> {
  const status = { online, session: 's', at_ms: NOW, body: '{}' };
  await test.database.sql
    .insertInto('agent_status')
    .values({ agent_id: north, ...status })
    .onConflict((conflict) => conflict.column('agent_id').doUpdateSet({ online }))
    .execute();
}

it('shows what is in a bin, since when it is known and how it is', async () => {
  const stock = { quantity: 812, mass_mg: 1_624_000, quality: 'good' as const };
  await test.database.sql
    .insertInto('bin_stock')
    .values({ bin_id: a1, product_id: screw, at_ms: NOW - 2_000, ...stock })
    .execute();
  expect(await list({ binIds: [a1] })).toEqual([
    {
      binId: 'a1',
      binName: 'Bin a1',
      siteId: 'acme-north',
      customerId: 'acme',
      productId: 'screw',
      productName: 'Screw M4',
      unit: 'piece',
      quantity: 812,
      massMg: 1_624_000,
      capacityMg: 6_000_000,
      readAt: NOW - 1_000,
      ageMs: 1_000,
      quality: 'good',
      health: 'ok',
      live: null,
    },
  ]);
});

it('shows no figure where nothing was measured', async () => {
  newest.delete(b1);
  const [stock] = await list({ binIds: [b1] });
  expect(stock).toMatchObject({
    quantity: null,
    massMg: null,
    readAt: null,
    ageMs: null,
    quality: null,
    health: 'silent',
  });
});

it("does not show another product's stock as that of the one the bin holds now", async () => {
  const stock = { quantity: 5, mass_mg: 10_000, quality: 'good' as const };
  await test.database.sql
    .insertInto('bin_stock')
    .values({ bin_id: w1, product_id: screw, at_ms: 10, ...stock })
    .execute();
  expect(await list({ binIds: [w1] })).toMatchObject([{ productId: 'screw', quantity: 5 }]);
  await test.database.transaction((tx) => changeBin(tx, w1, { productId: pellets }, NOW));
  expect(await list({ binIds: [w1] })).toMatchObject([
    { productId: 'pellets', unit: 'mg', quantity: null, massMg: null },
  ]);
});

it('filters by customer, site, product and bin, and goes on after a bin', async () => {
  expect(await ids()).toEqual(['a1', 'a2', 'b1', 'w1']);
  expect(await ids({ customerId: acme })).toEqual(['a1', 'a2']);
  expect(await ids({ siteId: warehouse })).toEqual(['w1']);
  expect(await ids({ siteId: acmeNorth, productId: screw })).toEqual(['a1']);
  expect(await ids({ customerId: acme, productId: pellets })).toEqual(['a2']);
  expect(await ids({ binIds: [b1, a1] })).toEqual(['a1', 'b1']);
  expect(await ids({ binIds: [] })).toEqual([]);
  expect(await ids({ limit: 2 })).toEqual(['a1', 'a2']);
  expect(await ids({ limit: 2, after: a2 })).toEqual(['b1', 'w1']);
});

it("shows a customer its own, whatever it asks for, and the supplier's own bins to nobody", async () => {
  expect(await ids({}, bolt)).toEqual(['b1']);
  expect(await ids({ customerId: acme }, bolt)).toEqual([]);
  expect(await ids({ binIds: [a1, b1, w1] }, acme)).toEqual(['a1']);
});

it('knows a bin as offline while all agents of its site are', async () => {
  expect((await list({ siteId: acmeNorth })).map(({ health }) => health)).toEqual(['ok', 'ok']);
  await report(false);
  expect((await list()).map(({ health }) => health)).toEqual(['offline', 'offline', 'ok', 'ok']);
  expect((await list({}, acme)).map(({ health }) => health)).toEqual(['offline', 'offline']);
  await report(true);
  expect((await list({ siteId: acmeNorth })).map(({ health }) => health)).toEqual(['ok', 'ok']);
});

it('tells late and faulty bins, and takes a clock that is ahead for no age', async () => {
  newest.set(a1, { at: NOW - LATE_MS - 1, quality: 'good' });
  newest.set(a2, { at: NOW, quality: 'overload' });
  newest.set(b1, { at: NOW + 5_000, quality: 'good' });
  expect(await list({ binIds: [a1, a2, b1] })).toMatchObject([
    { health: 'late', ageMs: LATE_MS + 1 },
    { health: 'faulty', quality: 'overload' },
    { health: 'ok', ageMs: 0, readAt: NOW + 5_000 },
  ]);
});

it('shows beside it what an agent sent ahead of its backlog, as long as that is newer', async () => {
  const ahead: LiveReading = { at: NOW - 500, value: 450_000, unit: 'mg', quality: 'good' };
  shown.set(a1, ahead);
  const [before] = await list({ binIds: [a1] });
  expect(before).toMatchObject({
    readAt: NOW - 1_000,
    live: { quantity: 100, massMg: 200_000, readAt: NOW - 500, ageMs: 500, quality: 'good' },
  });
  newest.set(a1, { at: NOW - 500, quality: 'good' });
  expect((await list({ binIds: [a1] }))[0]).toMatchObject({ readAt: NOW - 500, live: null });
});
