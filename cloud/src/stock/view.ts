import { sql, type Kysely } from 'kysely';
import type { BinId, CustomerId, ProductId, SiteId } from '#shared/ids.ts';
import type { Quality } from '#shared/reading.ts';
import type { QuantityUnit } from '#shared/units.ts';
import type { Database, Scope } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { healthOf, type Health } from './core/health.ts';
import type { Listing } from './listing.ts';

/** What is in a bin now, how old that knowledge is and how far it can be trusted. */
export interface BinStock {
  readonly binId: BinId;
  readonly binName: string;
  readonly siteId: SiteId;
  readonly customerId: CustomerId | null;
  readonly productId: ProductId;
  readonly productName: string;
  readonly unit: QuantityUnit;
  /** null where nothing good was measured since the bin holds this product */
  readonly quantity: number | null;
  readonly massMg: number | null;
  readonly capacityMg: number;
  /** Newest reading, whatever its quality; null where there is none. */
  readonly readAt: number | null;
  readonly ageMs: number | null;
  readonly quality: Quality | null;
  readonly health: Health;
}

export interface StockFilter {
  readonly customerId?: CustomerId | undefined;
  readonly siteId?: SiteId | undefined;
  readonly productId?: ProductId | undefined;
  readonly binIds?: readonly BinId[] | undefined;
}

/** Newest readings of bins; a ReadingsStore is one. */
export interface NewestReadings {
  newest(
    bins: readonly BinId[],
  ): Promise<ReadonlyMap<BinId, { readonly at: number; readonly quality: Quality }>>;
}

/** @returns the stock of the bins in scope that pass the filter, sorted by the bin's id */
export async function listStock(
  { database, readings }: { readonly database: Database; readonly readings: NewestReadings },
  scope: Scope,
  query: StockFilter & Listing<BinId>,
  nowMs: number,
): Promise<BinStock[]> {
  const rows = await database.scoped(scope, (tx) => queryStock(tx, query));
  const newest = await readings.newest(rows.map(({ binId }) => binId));
  return rows.map(({ offline, ...row }) => {
    const reading = newest.get(row.binId);
    if (reading === undefined) {
      const health = healthOf(null, offline);
      return { ...row, readAt: null, ageMs: null, quality: null, health };
    }
    // A device's clock may be ahead of ours.
    const ageMs = Math.max(0, nowMs - reading.at);
    const { quality } = reading;
    return {
      ...row,
      readAt: reading.at,
      ageMs,
      quality,
      health: healthOf({ ageMs, quality }, offline),
    };
  });
}

type StockRow = Omit<BinStock, 'readAt' | 'ageMs' | 'quality' | 'health'> & {
  readonly offline: boolean;
};

async function queryStock(
  tx: Kysely<Tables>,
  { customerId, siteId, productId, binIds, after, limit }: StockFilter & Listing<BinId>,
): Promise<StockRow[]> {
  const where = [
    customerId !== undefined && sql`site.customer_id = ${customerId}`,
    siteId !== undefined && sql`bin.site_id = ${siteId}`,
    productId !== undefined && sql`setup.product_id = ${productId}`,
    binIds !== undefined && sql`bin.id = any(${[...binIds]}::text[])`,
    after !== undefined && sql`bin.id > ${after}`,
  ].filter((condition) => condition !== false);
  const { rows } = await sql<StockRow>`
    select bin.id as "binId", bin.name as "binName", bin.site_id as "siteId",
      site.customer_id as "customerId", setup.product_id as "productId",
      product.name as "productName", product.unit, bin_stock.quantity,
      bin_stock.mass_mg as "massMg", bin.capacity_mg as "capacityMg",
      coalesce(not agents.any_online, false) as offline
    from bin
    join site on site.id = bin.site_id
    -- The newest setup is the one in force, since none may begin in the future.
    cross join lateral (
      select product_id from bin_setup where bin_id = bin.id order by from_ms desc limit 1
    ) as setup
    join product on product.id = setup.product_id
    left join bin_stock
      on bin_stock.bin_id = bin.id and bin_stock.product_id = setup.product_id
    -- A site whose agents are all offline; one that never spoke is not known to be.
    left join (
      select agent.site_id, bool_or(agent_status.online) as any_online
      from agent join agent_status on agent_status.agent_id = agent.id
      group by agent.site_id
    ) as agents on agents.site_id = bin.site_id
    ${where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`}
    order by bin.id
    limit ${limit}`.execute(tx);
  return rows;
}
