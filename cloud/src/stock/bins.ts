import type { Kysely } from 'kysely';
import type { BinId, ProductId, SiteId } from '#shared/ids.ts';
import type { Row, Tables } from '../database/tables.ts';
import { changedSetup, setupAt, type Setup } from './core/setups.ts';
import { done, refused, type Listing, type Outcome } from './listing.ts';
import { getProduct } from './products.ts';
import { getSite } from './sites.ts';

/** A bin as it is now; `since` when its setup is as it is. */
export interface Bin extends Setup {
  readonly id: BinId;
  readonly name: string;
  readonly siteId: SiteId;
  readonly capacityMg: number;
}

export async function listBins(
  db: Kysely<Tables>,
  { after, limit, siteId }: Listing<BinId> & { readonly siteId?: SiteId | undefined },
): Promise<Bin[]> {
  let page = db.selectFrom('bin').selectAll().orderBy('id').limit(limit);
  if (after !== undefined) page = page.where('id', '>', after);
  if (siteId !== undefined) page = page.where('site_id', '=', siteId);
  const rows = await page.execute();
  const setups = await loadSetups(
    db,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => binOf(row, setups.get(row.id) ?? []));
}

export async function getBin(db: Kysely<Tables>, id: BinId): Promise<Bin | undefined> {
  const row = await db.selectFrom('bin').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  return binOf(row, await setupsOf(db, id));
}

export interface NewBin {
  readonly id: BinId;
  readonly name: string;
  readonly siteId: SiteId;
  readonly capacityMg: number;
  readonly productId: ProductId;
  readonly tareMg: number;
  /** The product's where not given. */
  readonly pieceMassMg?: number | undefined;
  /** From when on its readings are understood so. */
  readonly since: number;
}

type SetupRefusal = 'unknown-product' | 'piece-mass-of-bulk' | 'since-in-future';

export async function createBin(
  db: Kysely<Tables>,
  bin: NewBin,
  nowMs: number,
): Promise<Outcome<Bin, 'exists' | 'unknown-site' | SetupRefusal>> {
  const { id, name, siteId, capacityMg, productId, tareMg, since } = bin;
  if ((await getSite(db, siteId)) === undefined) return refused('unknown-site');
  const product = await getProduct(db, productId);
  if (product === undefined) return refused('unknown-product');
  if (bin.pieceMassMg !== undefined && product.unit !== 'piece') {
    return refused('piece-mass-of-bulk');
  }
  if (since > nowMs) return refused('since-in-future');
  const row = await db
    .insertInto('bin')
    .values({ id, site_id: siteId, name, capacity_mg: capacityMg })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return refused('exists');
  const pieceMassMg = bin.pieceMassMg ?? product.pieceMassMg;
  const setup = { since, productId, tareMg, pieceMassMg };
  await writeSetup(db, id, setup);
  return done(binOf(row, [setup]));
}

export interface BinChange {
  readonly name?: string | undefined;
  readonly capacityMg?: number | undefined;
  readonly productId?: ProductId | undefined;
  readonly tareMg?: number | undefined;
  readonly pieceMassMg?: number | undefined;
  /** From when product, tare and piece mass hold, until the next dated change; default: now. */
  readonly since?: number | undefined;
}

export interface ChangedBin {
  readonly bin: Bin;
  /** From when the bin's readings are to be folded anew; null where the change is none to them. */
  readonly refoldFrom: number | null;
}

/** In a transaction: a bin and its setup change together. */
export async function changeBin(
  db: Kysely<Tables>,
  id: BinId,
  change: BinChange,
  nowMs: number,
): Promise<Outcome<ChangedBin, 'not-found' | 'since-alone' | SetupRefusal>> {
  const before = await db.selectFrom('bin').selectAll().where('id', '=', id).executeTakeFirst();
  if (before === undefined) return refused('not-found');
  const setups = await setupsOf(db, id);
  const setup = await judgeSetup(db, setups, change, nowMs);
  if (!setup.ok) return setup;

  const { name = before.name, capacityMg = before.capacity_mg } = change;
  const row = await db
    .updateTable('bin')
    .set({ name, capacity_mg: capacityMg })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (setup.value !== undefined) await writeSetup(db, id, setup.value);
  // Capacity has no date: what it means for readings, it means for all of them.
  const refoldFrom =
    capacityMg === before.capacity_mg
      ? (setup.value?.since ?? null)
      : Math.min(setup.value?.since ?? Infinity, setupAt(setups, -Infinity).since);
  return done({ bin: binOf(row, await setupsOf(db, id)), refoldFrom });
}

/** The setup that a change asks for, if any. */
async function judgeSetup(
  db: Kysely<Tables>,
  setups: readonly Setup[],
  change: BinChange,
  nowMs: number,
): Promise<Outcome<Setup | undefined, 'since-alone' | SetupRefusal>> {
  const { productId, tareMg, pieceMassMg, since = nowMs } = change;
  if (productId === undefined && tareMg === undefined && pieceMassMg === undefined) {
    return change.since === undefined ? done(undefined) : refused('since-alone');
  }
  // A setup of the future would be neither how the bin is nor how it was.
  if (since > nowMs) return refused('since-in-future');
  const product = await getProduct(db, productId ?? setupAt(setups, since).productId);
  if (product === undefined) return refused('unknown-product');
  if (pieceMassMg !== undefined && product.unit !== 'piece') return refused('piece-mass-of-bulk');
  return done(changedSetup(setups, since, product, { tareMg, pieceMassMg }));
}

async function writeSetup(db: Kysely<Tables>, bin: BinId, setup: Setup): Promise<void> {
  const { since, productId, tareMg, pieceMassMg } = setup;
  const held = { product_id: productId, tare_mg: tareMg, piece_mass_mg: pieceMassMg };
  await db
    .insertInto('bin_setup')
    .values({ bin_id: bin, from_ms: since, ...held })
    .onConflict((conflict) => conflict.columns(['bin_id', 'from_ms']).doUpdateSet(held))
    .execute();
}

/** What a bin held from when on, oldest first. */
export async function setupsOf(db: Kysely<Tables>, bin: BinId): Promise<readonly Setup[]> {
  return (await loadSetups(db, [bin])).get(bin) ?? [];
}

/** The setups of each bin, oldest first. */
async function loadSetups(
  db: Kysely<Tables>,
  bins: readonly BinId[],
): Promise<Map<BinId, Setup[]>> {
  if (bins.length === 0) return new Map();
  const rows = await db
    .selectFrom('bin_setup')
    .selectAll()
    .where('bin_id', 'in', bins)
    .orderBy('from_ms')
    .execute();
  const setups = rows.map((row) => ({
    bin: row.bin_id,
    setup: {
      since: row.from_ms,
      productId: row.product_id,
      tareMg: row.tare_mg,
      pieceMassMg: row.piece_mass_mg,
    },
  }));
  return new Map(
    [...Map.groupBy(setups, ({ bin }) => bin)].map(([bin, group]) => [
      bin,
      group.map(({ setup }) => setup),
    ]),
  );
}

/** The newest setup is the one in force, since none may begin in the future. */
function binOf({ id, site_id, name, capacity_mg }: Row<'bin'>, setups: readonly Setup[]): Bin {
  const setup = setupAt(setups, Infinity);
  return { id, name, siteId: site_id, capacityMg: capacity_mg, ...setup };
}

/** Ids of all bins, by id. */
export async function allBins(db: Kysely<Tables>): Promise<BinId[]> {
  const rows = await db.selectFrom('bin').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}
