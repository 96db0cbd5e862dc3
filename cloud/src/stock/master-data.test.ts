import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binId, customerId, productId, siteId, type BinId } from '#shared/ids.ts';
import { openTestDatabase, type TestDatabase } from '../../test/database.ts';
import * as seed from '../../test/master-data.ts';
import { changeBin, createBin, getBin, listBins, type BinChange, type NewBin } from './bins.ts';
import { createCustomer, getCustomer, listCustomers, renameCustomer } from './customers.ts';
import { createProduct, getProduct, listProducts, renameProduct } from './products.ts';
import { changeSite, createSite, getSite, listSites } from './sites.ts';

const { a1, acme, acmeNorth, pellets, screw } = seed;
const NOW = 1_000_000;

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
  await seed.seedMasterData(test.database);
});
afterAll(() => test.close());

const ids = (items: readonly { id: string }[]) => items.map(({ id }) => id);
const refusal = (reason: string) => ({ ok: false, reason });

describe('lists', () => {
  it('go on after an id, sorted by id, and no further than the limit', async () => {
    const { sql: db } = test.database;
    const first = await listBins(db, { limit: 2 });
    expect(first.map(({ id }) => id)).toEqual(['a1', 'a2']);
    const rest = await listBins(db, { limit: 100, after: seed.a2 });
    expect(rest.map(({ id }) => id)).toEqual(['b1', 'w1']);
    expect(await listBins(db, { limit: 100, after: seed.w1 })).toEqual([]);
    const atAcme = await listBins(db, { limit: 100, siteId: acmeNorth });
    expect(atAcme.map(({ id }) => id)).toEqual(['a1', 'a2']);

    expect(ids(await listCustomers(db, { limit: 1 }))).toEqual(['acme']);
    expect(ids(await listCustomers(db, { limit: 9, after: acme }))).toEqual(['bolt']);
    expect(ids(await listSites(db, { limit: 9, after: acmeNorth }))).toEqual([
      'bolt-hall',
      'warehouse',
    ]);
    expect(ids(await listProducts(db, { limit: 1 }))).toEqual(['pellets']);
    expect(ids(await listProducts(db, { limit: 9, after: pellets }))).toEqual(['screw']);
  });

  it('show a customer only its own', async () => {
    const seen = await test.database.scoped(acme, async (tx) => ({
      customers: await listCustomers(tx, { limit: 9 }),
      sites: await listSites(tx, { limit: 9 }),
      bins: await listBins(tx, { limit: 9 }),
      foreign: [await getBin(tx, seed.b1), await getSite(tx, seed.warehouse)],
    }));
    expect(seen.customers).toEqual([{ id: 'acme', name: 'ACME' }]);
    expect(seen.sites.map(({ id }) => id)).toEqual(['acme-north']);
    expect(seen.bins.map(({ id }) => id)).toEqual(['a1', 'a2']);
    expect(seen.foreign).toEqual([undefined, undefined]);
  });
});

describe('products, customers and sites', () => {
  it('are created once', async () => {
    const { sql: db } = test.database;
    const nut = { id: productId('nut'), name: 'Nut', unit: 'piece', pieceMassMg: 900 } as const;
    expect(await createProduct(db, nut)).toEqual({ ok: true, value: nut });
    expect(await createProduct(db, { ...nut, name: 'Other' })).toEqual(refusal('exists'));
    expect(await getProduct(db, nut.id)).toEqual(nut);

    const cord = { id: customerId('cord'), name: 'Cord' };
    expect(await createCustomer(db, cord)).toEqual({ ok: true, value: cord });
    expect(await createCustomer(db, cord)).toEqual(refusal('exists'));
    expect(await getCustomer(db, cord.id)).toEqual(cord);

    const hall = {
      id: siteId('cord-hall'),
      name: 'H',
      customerId: cord.id,
      timeZone: 'Asia/Tokyo',
    };
    expect(await createSite(db, hall)).toEqual({ ok: true, value: hall });
    expect(await createSite(db, hall)).toEqual(refusal('exists'));
    const nobodys = { ...hall, id: siteId('x'), customerId: customerId('nobody') };
    expect(await createSite(db, nobodys)).toEqual(refusal('unknown-customer'));
    expect(await getSite(db, hall.id)).toEqual(hall);
  });

  it('get another name, and a site another time zone', async () => {
    const { sql: db } = test.database;
    expect(await renameProduct(db, pellets, 'Granulate')).toMatchObject({
      value: { name: 'Granulate', unit: 'mg' },
    });
    expect(await renameCustomer(db, acme, 'Acme GmbH')).toMatchObject({
      value: { name: 'Acme GmbH' },
    });
    expect(await changeSite(db, acmeNorth, { timeZone: 'Europe/Berlin' })).toMatchObject({
      value: { name: 'Site acme-north', timeZone: 'Europe/Berlin' },
    });
    expect(await changeSite(db, acmeNorth, { name: 'North' })).toMatchObject({
      value: { name: 'North', timeZone: 'Europe/Berlin' },
    });
    expect(await renameProduct(db, productId('no'), 'x')).toEqual(refusal('not-found'));
    expect(await renameCustomer(db, customerId('no'), 'x')).toEqual(refusal('not-found'));
    expect(await changeSite(db, siteId('no'), { name: 'x' })).toEqual(refusal('not-found'));
  });
});

describe('a new bin', () => {
  const bin: NewBin = {
    id: binId('new'),
    name: 'New',
    siteId: acmeNorth,
    capacityMg: 1_000,
    productId: screw,
    tareMg: 5,
    since: 10,
  };
  const create = (change: Partial<NewBin>) =>
    test.database.transaction((tx) => createBin(tx, { ...bin, ...change }, NOW));

  it("takes the product's piece mass unless it has its own", async () => {
    const value = { ...bin, pieceMassMg: 2_000 };
    expect(await create({})).toEqual({ ok: true, value });
    expect(await getBin(test.database.sql, bin.id)).toEqual(value);
    expect(await create({ id: binId('own-mass'), pieceMassMg: 1_999 })).toMatchObject({
      value: { pieceMassMg: 1_999 },
    });
    expect(await create({ id: binId('bulk'), productId: pellets })).toMatchObject({
      value: { pieceMassMg: null },
    });
  });

  it('is refused where it cannot be', async () => {
    expect(await create({ id: a1 })).toEqual(refusal('exists'));
    expect(await create({ siteId: siteId('no') })).toEqual(refusal('unknown-site'));
    expect(await create({ productId: productId('no') })).toEqual(refusal('unknown-product'));
    expect(await create({ productId: pellets, pieceMassMg: 1 })).toEqual(
      refusal('piece-mass-of-bulk'),
    );
    expect(await create({ id: binId('later'), since: NOW + 1 })).toEqual(
      refusal('since-in-future'),
    );
    expect(await getBin(test.database.sql, binId('later'))).toBeUndefined();
  });
});

const change = (id: BinId, wanted: BinChange, nowMs = NOW) =>
  test.database.transaction((tx) => changeBin(tx, id, wanted, nowMs));

describe('a changed bin', () => {
  let count = 0;
  /** A bin with screws since 100. */
  async function someBin() {
    count += 1;
    const id = binId(`some-${count}`);
    const place = { name: 'Some', siteId: acmeNorth, capacityMg: 1_000 };
    const setup = { productId: screw, tareMg: 5, since: 100 };
    await createBin(test.database.sql, { id, ...place, ...setup }, NOW);
    return id;
  }
  it('holds something else from since on, and says from when to fold anew', async () => {
    const id = await someBin();
    expect(await change(id, { tareMg: 6, since: 500 })).toMatchObject({
      ok: true,
      value: { refoldFrom: 500, bin: { tareMg: 6, since: 500, pieceMassMg: 2_000 } },
    });
    expect(await change(id, { productId: pellets })).toMatchObject({
      value: { refoldFrom: NOW, bin: { productId: 'pellets', tareMg: 6, pieceMassMg: null } },
    });
    const setups = await test.database.sql
      .selectFrom('bin_setup')
      .select(['from_ms', 'product_id', 'tare_mg', 'piece_mass_mg'])
      .where('bin_id', '=', id)
      .orderBy('from_ms')
      .execute();
    expect(setups).toEqual([
      { from_ms: 100, product_id: 'screw', tare_mg: 5, piece_mass_mg: 2_000 },
      { from_ms: 500, product_id: 'screw', tare_mg: 6, piece_mass_mg: 2_000 },
      { from_ms: NOW, product_id: 'pellets', tare_mg: 6, piece_mass_mg: null },
    ]);
  });

  it('leaves a later setup alone when the past is corrected', async () => {
    const id = await someBin();
    await change(id, { productId: pellets, since: 500 });
    expect(await change(id, { pieceMassMg: 2_010, since: 100 })).toMatchObject({
      value: { refoldFrom: 100, bin: { productId: 'pellets', pieceMassMg: null, since: 500 } },
    });
    const first = await test.database.sql
      .selectFrom('bin_setup')
      .select('piece_mass_mg')
      .where('bin_id', '=', id)
      .where('from_ms', '=', 100)
      .executeTakeFirst();
    expect(first).toEqual({ piece_mass_mg: 2_010 });
  });

  it('need not be folded anew for a name, nor for what it was already', async () => {
    const id = await someBin();
    expect(await change(id, { name: 'Other' })).toMatchObject({
      value: { refoldFrom: null, bin: { name: 'Other', tareMg: 5, since: 100 } },
    });
    expect(await change(id, { tareMg: 5, productId: screw, pieceMassMg: 2_000 })).toMatchObject({
      value: { refoldFrom: null, bin: { since: 100 } },
    });
  });

  it('is folded anew from its beginning for another capacity, which has no date', async () => {
    const id = await someBin();
    expect(await change(id, { capacityMg: 2_000, tareMg: 7, since: 300 })).toMatchObject({
      value: { refoldFrom: 100, bin: { capacityMg: 2_000, tareMg: 7 } },
    });
  });

  it('stays as it was where the change is refused', async () => {
    const id = await someBin();
    const before = await getBin(test.database.sql, id);
    const name = 'Not this';
    expect(await change(id, { name, productId: productId('no') })).toEqual(
      refusal('unknown-product'),
    );
    expect(await change(id, { name, productId: pellets, pieceMassMg: 1 })).toEqual(
      refusal('piece-mass-of-bulk'),
    );
    expect(await change(id, { name, tareMg: 1, since: NOW + 1 })).toEqual(
      refusal('since-in-future'),
    );
    expect(await change(id, { name, since: 200 })).toEqual(refusal('since-alone'));
    expect(await change(binId('no'), { name })).toEqual(refusal('not-found'));
    expect(await getBin(test.database.sql, id)).toEqual(before);
  });
});
