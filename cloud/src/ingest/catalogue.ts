import { sql, type Kysely } from 'kysely';
import type { AgentId, BinId, ProductId, SiteId } from '#shared/ids.ts';
import type { Clock } from '#shared/clock.ts';
import { SECOND_MS, type QuantityUnit } from '#shared/units.ts';
import type { Tables } from '../database/tables.ts';
import type { KnownBin } from './core/checks.ts';

/** An unknown name makes us look again, but not more often than this. */
const LOOK_AGAIN_MS = SECOND_MS;

/** Which agents and bins there are, as of the last look. */
export interface Catalogue {
  readonly sites: ReadonlyMap<string, SiteId>;
  readonly bins: ReadonlyMap<BinId, KnownBin>;
}

/** The catalogue kept in memory; whoever changes a bin or agent calls `forget`. */
export interface CatalogueCache {
  /** Looks again where it was told to forget, or where one of these names is not known. */
  current(agents: Iterable<string>, bins: () => Iterable<BinId>): Promise<Catalogue>;
  forget(): void;
}

export function createCatalogueCache(db: Kysely<Tables>, clock: Clock): CatalogueCache {
  let known: Catalogue | undefined;
  let lookedMs = 0;
  let forgotten = 0;
  return {
    async current(agents, bins) {
      const complete =
        known !== undefined &&
        [...agents].every((agent) => known?.sites.has(agent)) &&
        [...bins()].every((bin) => known?.bins.has(bin));
      const nowMs = clock.monotonicMs();
      if (known !== undefined && (complete || nowMs - lookedMs < LOOK_AGAIN_MS)) return known;
      lookedMs = nowMs;
      const before = forgotten;
      const found = { sites: await loadAgents(db), bins: await loadBins(db) };
      // What was told to be forgotten meanwhile may not stand in what was found.
      known = forgotten === before ? found : undefined;
      return found;
    },
    forget() {
      forgotten += 1;
      known = undefined;
    },
  };
}

async function loadAgents(db: Kysely<Tables>): Promise<Map<string, SiteId>> {
  const { rows } = await sql<{ id: AgentId; site: SiteId }>`
    select id, site_id as site from agent
  `.execute(db);
  return new Map(rows.map(({ id, site }) => [id, site]));
}

interface SetupRow {
  readonly bin: BinId;
  readonly site: SiteId;
  readonly from: number;
  readonly product: ProductId;
  readonly unit: QuantityUnit;
  readonly tareMg: number;
  readonly pieceMassMg: number | null;
  readonly capacityMg: number;
}

/** All bins with their setups, or one. */
export async function loadBins(
  db: Kysely<Tables>,
  only: BinId | null = null,
): Promise<Map<BinId, KnownBin>> {
  const { rows } = await sql<SetupRow>`
    select bin.id as bin, bin.site_id as site, bin_setup.from_ms as "from",
      bin_setup.product_id as product, product.unit, bin_setup.tare_mg as "tareMg",
      bin_setup.piece_mass_mg as "pieceMassMg", bin.capacity_mg as "capacityMg"
    from bin
    join bin_setup on bin_setup.bin_id = bin.id
    join product on product.id = bin_setup.product_id
    where ${only}::text is null or bin.id = ${only}
    order by bin.id, bin_setup.from_ms
  `.execute(db);
  const bins = new Map<BinId, KnownBin & { setups: Omit<SetupRow, 'bin' | 'site'>[] }>();
  for (const { bin, site, ...setup } of rows) {
    const known = bins.get(bin);
    if (known === undefined) bins.set(bin, { site, setups: [setup] });
    else known.setups.push(setup);
  }
  return bins;
}
