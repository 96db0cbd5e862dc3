import { sql, type Kysely } from 'kysely';
import type { BinId } from '#shared/ids.ts';
import type { Gap } from '#shared/reading.ts';
import type { Tables } from '../database/tables.ts';
import type { ReadingsStore } from '../readings/store.ts';
import type { Catalogue } from './catalogue.ts';
import type { Jump } from './core/draft.ts';

/**
 * What a jump over lost batches leaves unknown: each bin of the agent's site from its newest stored
 * reading before them on. How many readings that were, nobody can say any more.
 * @param readings with those of the group, so that a second attempt at it says the same
 */
export async function gapsOfJumps(
  jumps: readonly Jump[],
  { bins }: Catalogue,
  readings: Pick<ReadingsStore, 'newest'>,
): Promise<Gap[]> {
  if (jumps.length === 0) return [];
  const gaps: Gap[] = [];
  for (const { site, untilMs } of jumps) {
    const places = [...bins].filter(([, bin]) => bin.site === site);
    const newest = await readings.newest(
      places.map(([id]) => id),
      untilMs,
    );
    for (const [bin, { setups }] of places) {
      const from = newest.get(bin)?.at ?? setups[0]?.from ?? untilMs;
      if (from < untilMs) gaps.push({ bin, from, to: untilMs, count: 0, why: 'lost-by-cloud' });
    }
  }
  return gaps;
}

export async function writeGaps(tx: Kysely<Tables>, gaps: readonly Gap[]): Promise<void> {
  if (gaps.length === 0) return;
  const newest = new Map(gaps.map((gap) => [keyOf(gap), gap]));
  await sql`
    insert into gap (bin_id, from_ms, to_ms, count, why)
    select bin, "from", "to", count, why
    from json_to_recordset(${JSON.stringify([...newest.values()])}::json) as r (bin text,
      "from" bigint, "to" bigint, count bigint, why text)
    on conflict do nothing
  `.execute(tx);
}

function keyOf({ bin, from, to, why }: Gap): `${BinId} ${string}` {
  return `${bin} ${from} ${to} ${why}`;
}
