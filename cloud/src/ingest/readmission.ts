import { sql, type Kysely } from 'kysely';
import type { AgentId, BinId } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Tables } from '../database/tables.ts';
import type { AppendOutcome } from '../readings/store.ts';
import type { Stores } from './commit.ts';
import { binsIn, readmit, type Readmission } from './core/readmission.ts';
import { addAppended, type Appended, type Refolded } from './fold-cache.ts';
import { writeGaps } from './gaps.ts';

/** Which of the quarantine are to be tried again, oldest first. */
export interface Wanted {
  readonly id?: number | undefined;
  readonly agent?: AgentId | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
}

/** What became of one of them; `refused` and `partly` stay in quarantine, with today's reason. */
export interface Readmitted {
  readonly id: number;
  readonly agent: string;
  readonly outcome: 'taken' | 'partly' | 'refused';
  /** Readings that were stored now, and such as were stored before. */
  readonly stored: number;
  readonly duplicates: number;
  readonly reason: string | null;
}

/** What trying again came to, once it is committed. */
export interface Readmissions extends Refolded {
  readonly items: readonly Readmitted[];
  readonly bins: readonly BinId[];
  readonly outcomes: Record<AppendOutcome, number>;
}

/** Taken up at once: what one transaction may hold in memory. */
const MOST_BYTES = 4 * 1_048_576;

interface Item extends Readmission {
  readonly id: number;
  readonly agent: string;
}

/**
 * Takes quarantined readings as if they came now, late: stored, folded, and out of the quarantine
 * in one transaction. Doing it twice is harmless, as with a batch that comes twice.
 */
export async function readmitQuarantined(wanted: Wanted, stores: Stores): Promise<Readmissions> {
  const { db, readings, folds, clock } = stores;
  const nowMs = clock.wallMs();
  const held = await quarantined(db.sql, wanted);
  const catalogue = await stores.catalogue.current(
    held.map(({ agent }) => agent),
    () => held.flatMap(({ payload }) => binsIn(payload)),
  );
  const items = held.map(({ id, agent, payload }): Item => {
    const today = { bins: catalogue.bins, site: catalogue.sites.get(agent), nowMs };
    return { id, agent, ...readmit(payload, today) };
  });
  const all = items.flatMap((item) => item.readings);
  const appended = all.length === 0 ? [] : await readings.append(all);
  const results = judged(items, appended);
  const byBin = sortedByBin(all, appended);
  const bins = [...byBin].map(([bin, fresh]) => {
    return { bin, setups: catalogue.bins.get(bin)?.setups ?? [], appended: fresh };
  });
  try {
    const refolded = await db.transaction(async (tx) => {
      await writeGaps(tx, goodGaps(items));
      await settle(tx, results);
      return await folds.fold(tx, bins, nowMs);
    });
    const outcomes = { stored: 0, duplicate: 0, conflict: 0 };
    for (const outcome of appended) outcomes[outcome] += 1;
    return { ...refolded, items: results, bins: [...byBin.keys()], outcomes };
  } catch (error) {
    folds.drop(byBin.keys());
    throw error;
  }
}

async function quarantined(
  db: Kysely<Tables>,
  { id, agent, after, limit }: Wanted,
): Promise<{ id: number; agent: string; payload: Uint8Array }[]> {
  const { rows } = await sql<{ id: number; agent: string; payload: Uint8Array }>`
    with chosen as (
      select id, sum(bytes) over (order by id) - bytes as before from quarantine
      where (${id ?? null}::bigint is null or id = ${id ?? null})
        and (${agent ?? null}::text is null or agent_id = ${agent ?? null})
        and id > ${after ?? 0}
      order by id limit ${limit}
    )
    select quarantine.id, agent_id as agent, payload from quarantine
    join chosen on chosen.id = quarantine.id
    where before < ${MOST_BYTES} order by quarantine.id
  `.execute(db);
  return rows;
}

/** @param appended outcomes of all the items' readings, in their order */
function judged(items: readonly Item[], appended: readonly AppendOutcome[]): Readmitted[] {
  let start = 0;
  return items.map(({ id, agent, readings, gaps, faults }) => {
    const outcomes = appended.slice(start, start + readings.length);
    start += readings.length;
    const count = (wanted: AppendOutcome): number =>
      outcomes.filter((outcome) => outcome === wanted).length;
    const conflicts = count('conflict');
    const stays = conflicts + faults.length;
    const rows = readings.length + gaps.length + faults.length;
    const first = faults[0] ?? 'at: another reading of this bin and time is stored';
    return {
      id,
      agent,
      outcome: stays === 0 ? 'taken' : stays < rows ? 'partly' : 'refused',
      stored: count('stored'),
      duplicates: count('duplicate'),
      reason: stays === 0 ? null : stays === 1 && rows === 1 ? first : partly(stays, rows, first),
    };
  });
}

const partly = (stays: number, rows: number, first: string): string =>
  `${stays} of ${rows} rows cannot be taken; the first: ${first}`;

function sortedByBin(
  readings: readonly Reading[],
  outcomes: readonly AppendOutcome[],
): Map<BinId, Appended[]> {
  const byBin = new Map<BinId, Appended[]>();
  for (const [place, reading] of readings.entries()) {
    const outcome = outcomes[place];
    if (outcome !== undefined && outcome !== 'conflict') addAppended(byBin, reading, outcome);
  }
  return byBin;
}

const goodGaps = (items: readonly Item[]): Gap[] => items.flatMap(({ gaps }) => [...gaps]);

/** What was taken leaves; what stays says why today. */
async function settle(tx: Kysely<Tables>, items: readonly Readmitted[]): Promise<void> {
  const taken = items.filter(({ outcome }) => outcome === 'taken').map(({ id }) => id);
  const stays = items.flatMap(({ id, reason }) => (reason === null ? [] : [{ id, reason }]));
  if (taken.length > 0) {
    await sql`delete from quarantine where id = any(${taken}::bigint[])`.execute(tx);
  }
  if (stays.length > 0) {
    await sql`
      update quarantine set reason = left(r.reason, 500)
      from json_to_recordset(${JSON.stringify(stays)}::json) as r (id bigint, reason text)
      where quarantine.id = r.id
    `.execute(tx);
  }
}
