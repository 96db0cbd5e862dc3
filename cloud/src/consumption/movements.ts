import type { Kysely } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import type { Row, Tables } from '../database/tables.ts';
import type { Period } from './core/steps.ts';
import type { Movement } from './core/model.ts';

/** The movements of a bin that hold and were seen in a period, oldest first. */
export async function listMovements(
  db: Kysely<Tables>,
  bin: BinId,
  { from, to, after = 0, limit }: Period & { readonly after?: number | undefined; limit: number },
): Promise<Movement[]> {
  const rows = await db
    .selectFrom('movement')
    .selectAll()
    .where('bin_id', '=', bin)
    .where('superseded_ms', 'is', null)
    .where('at_ms', '>=', from)
    .where('at_ms', '<', to)
    .where('ordinal', '>', after)
    .orderBy('ordinal')
    .limit(limit)
    .execute();
  return rows.map(movementOf);
}

function movementOf(row: Row<'movement'>): Movement {
  return {
    ordinal: row.ordinal,
    product: row.product_id,
    from: row.from_ms,
    at: row.at_ms,
    kind: row.kind,
    quantity: row.quantity,
    low: row.low,
    high: row.high,
    massMg: row.mass_mg,
    confidencePpm: row.confidence_ppm,
    closing: row.closing,
  };
}
