import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql, type Kysely, type RawBuilder } from 'kysely';
import type { BinId, CustomerId, ProductId, SiteId } from '#shared/ids.ts';
import { ROLLUP_MS, type QuantityUnit } from '#shared/units.ts';
import type { Tables } from '../database/tables.ts';
import type { MovementKind } from './core/model.ts';
import {
  bucketOf,
  bucketParts,
  roughSteps,
  stepStarts,
  type ConsumptionStep,
  type Period,
} from './core/steps.ts';
import { addToGroups, type BinAmounts, type GroupAmounts } from './core/summing.ts';

export type ConsumptionGroup = 'bin' | 'site' | 'customer' | 'product' | 'total';

export interface ConsumptionFilter {
  readonly customer?: CustomerId | undefined;
  readonly site?: SiteId | undefined;
  readonly product?: ProductId | undefined;
  readonly bin?: BinId | undefined;
  /** Whether the supplier's own sites count, whose outflow is shipping rather than consumption. */
  readonly own: 'exclude' | 'include' | 'only';
}

export interface ConsumptionQuery extends Period, ConsumptionFilter {
  readonly by: ConsumptionGroup;
  readonly step: ConsumptionStep;
  /** Whose midnights, hours and quarters the steps begin at. */
  readonly timeZone: string;
}

/** What a group did in a step, in `unit`. */
export interface ConsumptionAmount extends Period {
  /** Id of the bin, site, customer or product; `total`, or {@link OWN} by customer. */
  readonly key: string;
  readonly unit: QuantityUnit;
  readonly consumed: number;
  readonly consumedLow: number;
  readonly consumedHigh: number;
  readonly refilled: number;
  readonly unexplained: number;
  readonly adjusted: number;
  readonly exposureMs: number;
  readonly perDay: number | null;
}

export type ConsumptionAnswer =
  | { readonly ok: true; readonly rows: readonly ConsumptionAmount[] }
  | { readonly ok: false; readonly reason: 'empty-period' | 'too-many-steps' | 'too-many-rows' };

/** Key by customer of what the supplier's own sites did; no id begins like this. */
export const OWN = '_own';

/** A year of hours, or three months of quarters; a chart shows no more. */
const MOST_STEPS = 10_000;
/** About 10 MB as JSON. */
const MOST_ROWS = 50_000;

/**
 * Rollups read at once. The embedded database has one connection and stands in the way of all else
 * while it reads: some 0.2 s for so many. Ingest's commits come between.
 */
const SLICE_ROLLUPS = 50_000;

/** Runs a part of a question in a transaction of its own, which sees what the asker may see. */
export type Ask = <T>(part: (tx: Kysely<Tables>) => Promise<T>) => Promise<T>;

/**
 * Amounts and speed of any period by bin, site, customer, product or in total, one row a group,
 * unit and step; a group that did nothing and was not watched has none. Whole buckets come from
 * the rollups; of a bucket that a boundary cuts, the movements tell which side they are on, and
 * exposure is shared out by time. So whatever a period is split into adds up to the whole.
 *
 * A long question is asked bin by bin, so that nobody waits for all of it: each bin's figures are of
 * one moment, those of the last ones some seconds newer than those of the first.
 */
export async function consumption(ask: Ask, query: ConsumptionQuery): Promise<ConsumptionAnswer> {
  if (query.from >= query.to) return { ok: false, reason: 'empty-period' };
  if (roughSteps(query, query.step) > MOST_STEPS) return { ok: false, reason: 'too-many-steps' };
  const starts = stepStarts(query, query.step, query.timeZone);
  const bins = await ask((tx) => binsOf(tx, query));
  const groups = new Map<string, GroupAmounts>();
  const rollups = Math.max(1, (query.to - query.from) / ROLLUP_MS);
  const width = Math.max(1, Math.floor(SLICE_ROLLUPS / rollups));
  const ids = [...bins.keys()];
  for (let at = 0; at < ids.length; at += width) {
    const slice = await ask(async (tx) => ({
      amounts: await binAmounts(tx, query, starts, ids.slice(at, at + width)),
      units: await unitsOf(tx, query),
    }));
    addToGroups(groups, slice.amounts, {
      keyOf: (amounts) => KEYS[query.by](amounts, found(bins, amounts.bin)),
      unitOf: ({ product }) => found(slice.units, product),
    });
    if (groups.size > MOST_ROWS) return { ok: false, reason: 'too-many-rows' };
    // What came over the network meanwhile is taken before the next slice.
    await nextTurn();
  }
  const rows = [...groups.values()].toSorted(byKeyUnitAndStep);
  return { ok: true, rows: rows.map((row) => amountOf(row, starts, query)) };
}

function byKeyUnitAndStep(a: GroupAmounts, b: GroupAmounts): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.unit !== b.unit) return a.unit < b.unit ? -1 : 1;
  return a.step - b.step;
}

function amountOf(
  row: GroupAmounts,
  starts: readonly number[],
  { from, to }: Period,
): ConsumptionAmount {
  const { step, lessBy, moreBy, ...amounts } = row;
  return {
    ...amounts,
    from: starts[step] ?? from,
    to: starts[step + 1] ?? to,
    consumedLow: row.consumed - lessBy,
    consumedHigh: row.consumed + moreBy,
  };
}

interface Place {
  readonly site: string;
  readonly customer: string | null;
}

const KEYS: Record<ConsumptionGroup, (amounts: BinAmounts, place: Place) => string> = {
  bin: ({ bin }) => bin,
  site: (_, { site }) => site,
  customer: (_, { customer }) => customer ?? OWN,
  product: ({ product }) => product,
  total: () => 'total',
};

/** What a foreign key says must be there. */
function found<T>(values: ReadonlyMap<string, T>, id: string): T {
  const value = values.get(id);
  if (value === undefined) throw new Error(`${id} is referred to but not there`);
  return value;
}

async function binsOf(
  db: Kysely<Tables>,
  { bin, site, customer, own }: ConsumptionFilter,
): Promise<Map<string, Place>> {
  let select = db
    .selectFrom('bin')
    .innerJoin('site', 'site.id', 'bin.site_id')
    .select(['bin.id', 'site.id as site', 'site.customer_id as customer'])
    .orderBy('bin.id');
  if (bin !== undefined) select = select.where('bin.id', '=', bin);
  if (site !== undefined) select = select.where('site.id', '=', site);
  if (customer !== undefined) select = select.where('site.customer_id', '=', customer);
  if (own !== 'include') {
    select = select.where('site.customer_id', own === 'only' ? 'is' : 'is not', null);
  }
  const rows = await select.execute();
  return new Map(rows.map(({ id, ...place }) => [id, place]));
}

async function unitsOf(
  db: Kysely<Tables>,
  { product }: ConsumptionFilter,
): Promise<Map<string, QuantityUnit>> {
  let select = db.selectFrom('product').select(['id', 'unit']);
  if (product !== undefined) select = select.where('id', '=', product);
  const rows = await select.execute();
  return new Map(rows.map(({ id, unit }) => [id, unit]));
}

/** Columns as JSON arrays: one row a bin and step took five times as long to get out of PGlite. */
type Columns = { readonly [Column in keyof BinAmounts]: readonly BinAmounts[Column][] | null };

async function binAmounts(
  db: Kysely<Tables>,
  query: ConsumptionQuery,
  starts: readonly number[],
  bins: readonly string[],
): Promise<BinAmounts[]> {
  const { rows } = await sql<Columns>`
    select json_agg(bin) as bin, json_agg(product) as product, json_agg(step) as step,
      json_agg(consumed) as consumed, json_agg("lessBy") as "lessBy",
      json_agg("moreBy") as "moreBy", json_agg(refilled) as refilled,
      json_agg(unexplained) as unexplained, json_agg(adjusted) as adjusted,
      json_agg("exposureMs") as "exposureMs"
    from (${amounts(query, starts, bins)}) as amounts`.execute(db);
  const columns = rows[0];
  return (columns?.bin ?? []).map((bin, row) => ({
    bin,
    product: columns?.product?.[row] ?? '',
    step: columns?.step?.[row] ?? 0,
    consumed: columns?.consumed?.[row] ?? 0,
    lessBy: columns?.lessBy?.[row] ?? 0,
    moreBy: columns?.moreBy?.[row] ?? 0,
    refilled: columns?.refilled?.[row] ?? 0,
    unexplained: columns?.unexplained?.[row] ?? 0,
    adjusted: columns?.adjusted?.[row] ?? 0,
    exposureMs: columns?.exposureMs?.[row] ?? 0,
  }));
}

const bigints = (values: readonly number[]) => sql`${values}::bigint[]`;

const change = (kind: MovementKind, sign: 1 | -1) =>
  sql`coalesce(sum(${sign}::bigint * quantity) filter (where kind = ${kind}), 0)`;

/**
 * By bin, product and step: of whole buckets, of the parts of cut ones, and by how much either may
 * be wrong. A bin and step may come in several rows.
 *
 * Picks may hide inside a refill that nobody watched: its bounds are then as much wider upwards
 * than downwards as stock may have been taken before.
 */
function amounts(
  query: ConsumptionQuery,
  starts: readonly number[],
  bins: readonly string[],
): RawBuilder<unknown> {
  const { from, to, product } = query;
  const parts = bucketParts(starts, to);
  const cut = bigints([...new Set(parts.map(({ bucket }) => bucket))]);
  const step = (column: string) => sql`width_bucket(${sql.ref(column)}, ${bigints(starts)}) - 1`;
  const asked = (table: string) =>
    sql`${sql.ref(`${table}.bin_id`)} = any(${bins}::text[]) and ${
      product === undefined ? sql`true` : sql`${sql.ref(`${table}.product_id`)} = ${product}`
    }`;
  return sql`
    with part as (
      select * from unnest(${bigints(parts.map((part) => part.bucket))},
        ${parts.map((part) => part.step)}::integer[], ${bigints(parts.map((part) => part.from))},
        ${bigints(parts.map((part) => part.to))}) as part (bucket_ms, step, from_ms, to_ms)
    )
    select bin_id as bin, product_id as product, ${step('bucket_ms')} as step,
      sum(consumed) as consumed, 0 as "lessBy", 0 as "moreBy", sum(refilled) as refilled,
      sum(unexplained) as unexplained, sum(adjusted) as adjusted,
      sum(exposure_ms) as "exposureMs"
    from rollup
    where ${asked('rollup')} and bucket_ms >= ${bucketOf(from)} and bucket_ms < ${to}
      and bucket_ms <> all(${cut})
    group by 1, 2, 3
    union all
    select bin_id, product_id, step, 0, 0, 0, 0, 0, 0,
      sum(exposure_ms * (to_ms - bucket_ms) / ${ROLLUP_MS}
        - exposure_ms * (from_ms - bucket_ms) / ${ROLLUP_MS})
    from part join rollup using (bucket_ms)
    where ${asked('rollup')}
    group by 1, 2, 3
    union all
    select bin_id, product_id, step, ${change('consumption', -1)}, 0, 0,
      ${change('refill', 1)}, ${change('unexplained', 1)}, ${change('adjustment', 1)}, 0
    from part join movement on at_ms >= part.from_ms and at_ms < part.to_ms
    where superseded_ms is null and ${asked('movement')}
    group by 1, 2, 3
    union all
    select bin_id, product_id, ${step('at_ms')}, 0,
      coalesce(sum(high - quantity) filter (where kind = 'consumption'), 0),
      sum(case kind when 'consumption' then quantity - low
        else greatest(0, high + low - 2 * quantity) end), 0, 0, 0, 0
    from movement
    where superseded_ms is null and low <> high and kind in ('consumption', 'refill')
      and ${asked('movement')} and at_ms >= ${from} and at_ms < ${to}
    group by 1, 2, 3`;
}
