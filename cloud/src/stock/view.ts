import { sql, type Kysely } from 'kysely';
import type { BinId, CustomerId, ProductId, SiteId } from '#shared/ids.ts';
import type { Quality } from '#shared/reading.ts';
import type { QuantityUnit } from '#shared/units.ts';
import type { Database, Scope } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { healthOf, type Health } from './core/health.ts';
import { liveFigure, type LiveFigure, type LiveReading } from './core/live.ts';
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
  /** A newer reading that was sent ahead of a backlog: shown, not counted yet; null for none. */
  readonly live: LiveStock | null;
}

export interface LiveStock extends LiveFigure {
  readonly readAt: number;
  readonly ageMs: number;
  readonly quality: Quality;
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

/** What agents showed ahead of their backlogs. */
export interface LiveReadings {
  live(bin: BinId): LiveReading | undefined;
}

export interface StockSources {
  readonly database: Database;
  readonly readings: NewestReadings;
  readonly live: LiveReadings;
}

/** @returns the stock of the bins in scope that pass the filter, sorted by the bin's id */
export async function listStock(
  { database, readings, live }: StockSources,
  scope: Scope,
  query: StockFilter & Listing<BinId>,
  nowMs: number,
): Promise<BinStock[]> {
  const rows = await database.scoped(scope, (tx) => queryStock(tx, query));
  const newest = await readings.newest(rows.map(({ binId }) => binId));
  // A device's clock may be ahead of ours.
  const ageOf = (at: number): number => Math.max(0, nowMs - at);
  return rows.map(({ offline, tareMg, pieceMassMg, ...row }) => {
    const reading = newest.get(row.binId);
    const shown = live.live(row.binId);
    const isNewer = shown !== undefined && shown.at > (reading?.at ?? 0);
    const ahead: LiveStock | null = isNewer
      ? {
          ...liveFigure(shown, { ...row, tareMg, pieceMassMg }),
          readAt: shown.at,
          ageMs: ageOf(shown.at),
          quality: shown.quality,
        }
      : null;
    if (reading === undefined) {
      const health = healthOf(null, offline);
      return { ...row, readAt: null, ageMs: null, quality: null, health, live: ahead };
    }
    const ageMs = ageOf(reading.at);
    const { quality } = reading;
    const health = healthOf({ ageMs, quality }, offline);
    return { ...row, readAt: reading.at, ageMs, quality, health, live: ahead };
  });
}

type StockRow = Omit<BinStock, 'readAt' | 'ageMs' | 'quality' | 'health' | 'live'> & {
  readonly offline: boolean;
  readonly tareMg: number;
  readonly pieceMassMg: number | null;
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
      setup.tare_mg as "tareMg", setup.piece_mass_mg as "pieceMassMg",
      coalesce(not agents.any_online, false) as offline
    from bin
    join site on site.id = bin.site_id
    -- The newest setup is the one in force, since none may begin in the future.
    cross join lateral (
      select product_id, tare_mg, piece_mass_mg from bin_setup where bin_id = bin.id order by from_ms desc limit 1
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
