import { sql, type Kysely } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import type { Tables } from '../database/tables.ts';
import type { Movement, Rollup, Stock } from './core/model.ts';

/** The connection, or the transaction, that a statement is part of. */
type Sql = Kysely<Tables>;

/** A row of the ledger with the bin it belongs to. */
export type OfBin<T> = T & { readonly bin: BinId };

/** What the fold of some readings has to say; every row replaces the one with its key. */
export interface LedgerChanges {
  readonly movements: readonly OfBin<Movement & { readonly revision: number }>[];
  readonly rollups: readonly OfBin<Rollup>[];
  readonly stocks: readonly OfBin<Stock>[];
  readonly checkpoints: readonly OfBin<Checkpoint>[];
}

/** The fold's state after the reading at `at`, serialised. */
export interface Checkpoint {
  readonly at: number;
  readonly state: string;
}

/** Rows travel as one JSON parameter each, so that a statement's text never varies. */
export async function writeLedger(tx: Sql, changes: LedgerChanges): Promise<void> {
  const { movements, rollups, stocks, checkpoints } = changes;
  if (movements.length > 0) {
    await sql`
      insert into movement (bin_id, ordinal, revision, product_id, from_ms, at_ms, kind, quantity,
        low, high, mass_mg, confidence_ppm, closing)
      select bin, ordinal, revision, product, "from", at, kind, quantity, low, high, "massMg",
        "confidencePpm", closing
      from json_to_recordset(${JSON.stringify(movements)}::json) as r (bin text, ordinal bigint,
        revision integer, product text, "from" bigint, at bigint, kind text, quantity bigint,
        low bigint, high bigint, "massMg" bigint, "confidencePpm" integer, closing bigint)
    `.execute(tx);
  }
  if (rollups.length > 0) {
    await sql`
      insert into rollup (bin_id, bucket_ms, product_id, consumed, refilled, unexplained, adjusted,
        exposure_ms, closing)
      select bin, bucket, product, consumed, refilled, unexplained, adjusted, "exposureMs", closing
      from json_to_recordset(${JSON.stringify(newestOf(rollups, rollupKey))}::json) as r (bin text,
        bucket bigint, product text, consumed bigint, refilled bigint, unexplained bigint,
        adjusted bigint, "exposureMs" bigint, closing bigint)
      on conflict (bin_id, bucket_ms, product_id) do update set consumed = excluded.consumed,
        refilled = excluded.refilled, unexplained = excluded.unexplained,
        adjusted = excluded.adjusted, exposure_ms = excluded.exposure_ms,
        closing = excluded.closing
    `.execute(tx);
  }
  if (stocks.length > 0) {
    await sql`
      insert into bin_stock (bin_id, product_id, at_ms, quantity, mass_mg, quality)
      select bin, product, at, quantity, "massMg", quality
      from json_to_recordset(${JSON.stringify(stocks)}::json) as r (bin text, product text,
        at bigint, quantity bigint, "massMg" bigint, quality text)
      on conflict (bin_id) do update set product_id = excluded.product_id, at_ms = excluded.at_ms,
        quantity = excluded.quantity, mass_mg = excluded.mass_mg, quality = excluded.quality
    `.execute(tx);
  }
  if (checkpoints.length > 0) {
    await sql`
      insert into fold_checkpoint (bin_id, at_ms, state)
      select bin, at, state::jsonb
      from json_to_recordset(${JSON.stringify(checkpoints)}::json) as r (bin text, at bigint,
        state text)
      on conflict (bin_id, at_ms) do update set state = excluded.state
    `.execute(tx);
  }
}

const rollupKey = ({ bin, bucket, product }: OfBin<Rollup>): string =>
  `${bin} ${bucket} ${product}`;

/** One statement may not meet the same row twice; rollups are absolute, so the last one counts. */
function newestOf<T>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

/** The newest checkpoint of each bin whose readings all lie before `before`. */
export async function checkpointsBefore(
  tx: Sql,
  wanted: readonly { readonly bin: BinId; readonly before: number }[],
): Promise<Map<BinId, Checkpoint>> {
  const { rows } = await sql<OfBin<Checkpoint>>`
    select r.bin, newest.at_ms as at, newest.state::text as state
    from json_to_recordset(${JSON.stringify(wanted)}::json) as r (bin text, before bigint)
    cross join lateral (
      select at_ms, state from fold_checkpoint where bin_id = r.bin and at_ms < r.before
      order by at_ms desc limit 1
    ) as newest
  `.execute(tx);
  return new Map(rows.map(({ bin, ...checkpoint }) => [bin, checkpoint]));
}

export async function dropCheckpointsAfter(
  tx: Sql,
  ends: readonly { readonly bin: BinId; readonly at: number }[],
): Promise<void> {
  await sql`
    delete from fold_checkpoint
    using json_to_recordset(${JSON.stringify(ends)}::json) as r (bin text, at bigint)
    where bin_id = r.bin and at_ms > r.at
  `.execute(tx);
}

/** The telling of each bin's history that holds now; the first, which is left out, is 1. */
export async function currentRevisions(
  tx: Sql,
  bins: readonly BinId[],
): Promise<Map<BinId, number>> {
  const { rows } = await sql<{ bin: BinId; revision: number }>`
    select bin_id as bin, max(revision) as revision from restatement
    where bin_id = any(${[...bins]}::text[]) group by bin_id
  `.execute(tx);
  return new Map(rows.map(({ bin, revision }) => [bin, revision]));
}

/** The movements of each bin that hold, in order, from `ordinal` on. */
export async function movementsFrom(
  tx: Sql,
  starts: readonly { readonly bin: BinId; readonly ordinal: number }[],
): Promise<Map<BinId, Movement[]>> {
  const { rows } = await sql<OfBin<Movement>>`
    select bin_id as bin, movement.ordinal, product_id as product, from_ms as "from", at_ms as at,
      kind, quantity, low, high, mass_mg as "massMg", confidence_ppm as "confidencePpm", closing
    from json_to_recordset(${JSON.stringify(starts)}::json) as r (bin text, ordinal bigint)
    join movement on bin_id = r.bin and movement.ordinal >= r.ordinal
    where superseded_ms is null
    order by bin_id, movement.ordinal
  `.execute(tx);
  return Map.groupBy(rows, ({ bin }) => bin);
}

/** The rollups of each bin from `bucket` on, in order. */
export async function rollupsFrom(
  tx: Sql,
  starts: readonly { readonly bin: BinId; readonly bucket: number }[],
): Promise<Map<BinId, OfBin<Rollup>[]>> {
  const { rows } = await sql<OfBin<Rollup>>`
    select bin_id as bin, bucket_ms as bucket, product_id as product, consumed, refilled,
      unexplained, adjusted, exposure_ms as "exposureMs", closing
    from json_to_recordset(${JSON.stringify(starts)}::json) as r (bin text, bucket bigint)
    join rollup on bin_id = r.bin and bucket_ms >= r.bucket
    order by bin_id, bucket_ms, product_id
  `.execute(tx);
  return Map.groupBy(rows, ({ bin }) => bin);
}

export async function deleteRollups(tx: Sql, rollups: readonly OfBin<Rollup>[]): Promise<void> {
  if (rollups.length === 0) return;
  await sql`
    delete from rollup
    using json_to_recordset(${JSON.stringify(rollups)}::json) as r (bin text, bucket bigint,
      product text)
    where bin_id = r.bin and bucket_ms = r.bucket and product_id = r.product
  `.execute(tx);
}

export async function deleteStocks(tx: Sql, bins: readonly BinId[]): Promise<void> {
  if (bins.length === 0) return;
  await sql`delete from bin_stock where bin_id = any(${[...bins]}::text[])`.execute(tx);
}

export type RestatementCause = 'late-data' | 'setup-changed' | 'recomputed';

/** A record that a bin's history was told anew; amounts are positive. */
export interface Restatement {
  readonly bin: BinId;
  /** The new telling. */
  readonly revision: number;
  readonly at: number;
  /** Start of the first movement that changed. */
  readonly from: number;
  readonly cause: RestatementCause;
  readonly consumed: { readonly before: number; readonly after: number };
  readonly refilled: { readonly before: number; readonly after: number };
}

/** Supersedes the movements that hold from `ordinal` on, and says why. */
export async function supersedeFrom(
  tx: Sql,
  ordinal: number,
  { bin, revision, at, from, cause, consumed, refilled }: Restatement,
): Promise<void> {
  await sql`
    update movement set superseded_ms = ${at}
    where bin_id = ${bin} and ordinal >= ${ordinal} and superseded_ms is null
  `.execute(tx);
  await sql`
    insert into restatement (bin_id, revision, at_ms, from_ms, cause, consumed_before,
      consumed_after, refilled_before, refilled_after)
    values (${bin}, ${revision}, ${at}, ${from}, ${cause}, ${consumed.before}, ${consumed.after},
      ${refilled.before}, ${refilled.after})
  `.execute(tx);
}
