import { binId, customerId, productId, siteId } from '#shared/ids.ts';
import type { Database } from '../src/database/database.ts';
import { createBin } from '../src/stock/bins.ts';
import { createCustomer } from '../src/stock/customers.ts';
import { createProduct } from '../src/stock/products.ts';
import { createSite } from '../src/stock/sites.ts';

export const acme = customerId('acme');
export const bolt = customerId('bolt');
export const acmeNorth = siteId('acme-north');
export const boltHall = siteId('bolt-hall');
export const warehouse = siteId('warehouse');
export const screw = productId('screw');
export const pellets = productId('pellets');
export const a1 = binId('a1');
export const a2 = binId('a2');
export const b1 = binId('b1');
export const w1 = binId('w1');

/** Two customers and the supplier's own warehouse; bins with screws, and a2 with pellets. */
export async function seedMasterData({ sql: db }: Database): Promise<void> {
  for (const id of [acme, bolt]) await createCustomer(db, { id, name: id.toUpperCase() });
  const sites = [
    { id: acmeNorth, customerId: acme },
    { id: boltHall, customerId: bolt },
    { id: warehouse, customerId: null },
  ];
  for (const { id, customerId: customer } of sites) {
    await createSite(db, { id, name: `Site ${id}`, customerId: customer, timeZone: 'UTC' });
  }
  await createProduct(db, { id: screw, name: 'Screw M4', unit: 'piece', pieceMassMg: 2_000 });
  await createProduct(db, { id: pellets, name: 'Pellets', unit: 'mg', pieceMassMg: null });
  const bins = [
    { id: a1, site: acmeNorth, product: screw },
    { id: a2, site: acmeNorth, product: pellets },
    { id: b1, site: boltHall, product: screw },
    { id: w1, site: warehouse, product: screw },
  ];
  for (const { id, site, product } of bins) {
    const empty = { capacityMg: 6_000_000, tareMg: 250_000, since: 0 };
    const bin = { id, name: `Bin ${id}`, siteId: site, productId: product, ...empty };
    await createBin(db, bin, 1_000);
  }
}
