import { createHash } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { asText } from '../database/text.ts';
import type { Refused } from './core/draft.ts';

/** Enough for people; a reason that quotes the payload is cut. */
const MAX_REASON = 500;

/** Keeps what was refused, once: the same bytes from the same agent again only count. */
export async function writeQuarantine(
  tx: Kysely<Tables>,
  refused: readonly Refused[],
): Promise<void> {
  if (refused.length === 0) return;
  const rows = new Map<string, { readonly times: number }>();
  for (const { agent, receivedMs, epoch, seq, index, reason, payload } of refused) {
    const digest = createHash('sha256').update(payload).digest('hex');
    const key = `${agent} ${digest}`;
    const times = (rows.get(key)?.times ?? 0) + 1;
    const row = {
      agent: asText(agent),
      receivedMs,
      epoch: epoch ?? null,
      seq: seq ?? null,
      index: index ?? null,
      // Cut first, which may halve a surrogate pair.
      reason: asText(reason.slice(0, MAX_REASON)),
      payload: Buffer.from(payload).toString('base64'),
      digest,
      times,
    };
    rows.set(key, row);
  }
  await sql`
    insert into quarantine (agent_id, received_ms, epoch, seq, row_index, reason, payload, digest,
      times)
    select agent, "receivedMs", epoch, seq, "index", reason, decode(payload, 'base64'), digest,
      times
    from json_to_recordset(${JSON.stringify([...rows.values()])}::json) as r (agent text,
      "receivedMs" bigint, epoch text, seq bigint, "index" integer, reason text, payload text,
      digest text, times integer)
    on conflict (agent_id, digest) do update set times = quarantine.times + excluded.times
  `.execute(tx);
}
