import { sql, type Kysely } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import type { Gap } from '#shared/reading.ts';
import type { Tables } from '../database/tables.ts';
import type { Period } from './core/steps.ts';

/** A gap with its place in the bin's history: 1, 2, 3 … by its start. */
export type OrdinalGap = Omit<Gap, 'bin'> & { readonly ordinal: number };

/** The stretches of a bin that were not measured or lost and that touch a period, oldest first. */
export async function listGaps(
  db: Kysely<Tables>,
  bin: BinId,
  { from, to, after = 0, limit }: Period & { readonly after?: number | undefined; limit: number },
): Promise<OrdinalGap[]> {
  const { rows } = await sql<OrdinalGap>`
    select ordinal, from_ms as "from", to_ms as "to", count, why
    from (
      select *, row_number() over (order by from_ms, to_ms, why) as ordinal
      from gap where bin_id = ${bin}
    ) as numbered
    where ordinal > ${after} and to_ms > ${from} and from_ms < ${to}
    order by ordinal limit ${limit}
  `.execute(db);
  return rows;
}
