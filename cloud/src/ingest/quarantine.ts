import { createHash } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { Tables } from '../database/tables.ts';
import { asText } from '../database/text.ts';
import type { Refused } from './core/draft.ts';

/** Enough for people; a reason that quotes the payload is cut. */
const MAX_REASON = 500;

/** What the quarantine keeps of one agent. */
export interface Room {
  readonly items: number;
  readonly bytes: number;
}

/** An agent whose every row is bad fills it within minutes; a bin forgotten at set-up, in a week. */
const ROOM: Room = { items: 10_000, bytes: 32 * 1_048_576 };
/** Dropped beyond what must be, so that not every message drops again. */
const SLACK = 0.1;

/**
 * Keeps what was refused, once: the same bytes from the same agent again only count. Where an agent
 * has no room left, the oldest of the kind of reason that takes most of it are dropped and counted,
 * so that a flood of one kind leaves the others.
 * @returns how many were dropped
 */
export async function writeQuarantine(
  tx: Kysely<Tables>,
  refused: readonly Refused[],
  room: Room = ROOM,
): Promise<number> {
  if (refused.length === 0) return 0;
  const rows = new Map<string, { readonly agent: string; readonly times: number }>();
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
  let dropped = 0;
  for (const agent of new Set([...rows.values()].map((row) => row.agent))) {
    dropped += await makeRoom(tx, agent, room);
  }
  return dropped;
}

async function makeRoom(tx: Kysely<Tables>, agent: string, room: Room): Promise<number> {
  let dropped = 0;
  for (;;) {
    const { rows: kinds } = await sql<Room & { readonly kind: string }>`
      select kind, count(*) as items, sum(bytes)::bigint as bytes from quarantine
      where agent_id = ${agent} group by kind
    `.execute(tx);
    const items = kinds.reduce((sum, kind) => sum + kind.items, 0);
    const bytes = kinds.reduce((sum, kind) => sum + kind.bytes, 0);
    if (items <= room.items && bytes <= room.bytes) return dropped;
    const share = (kind: Room): number => kind.items / room.items + kind.bytes / room.bytes;
    const largest = kinds.reduce((most, kind) => (share(kind) > share(most) ? kind : most));
    dropped += await drop(tx, agent, largest.kind, {
      items: items - room.items + (items > room.items ? Math.floor(SLACK * room.items) : 0),
      bytes: bytes - room.bytes + (bytes > room.bytes ? Math.floor(SLACK * room.bytes) : 0),
    });
  }
}

/** Drops the oldest of a kind, as many as make so much room, or all of them. */
async function drop(
  tx: Kysely<Tables>,
  agent: string,
  kind: string,
  { items, bytes }: Room,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with aged as (
      select id, row_number() over (order by id) as place,
        sum(bytes) over (order by id) - bytes as before
      from quarantine where agent_id = ${agent} and kind = ${kind}
    ), gone as (
      delete from quarantine using aged
      where quarantine.id = aged.id and (place <= ${items} or before < ${bytes})
      returning quarantine.bytes, received_ms
    ), summed as (
      insert into quarantine_dropped as dropped (agent_id, kind, count, bytes, from_ms, to_ms)
      select ${agent}, ${kind}, count(*), sum(bytes), min(received_ms), max(received_ms) from gone
      on conflict (agent_id, kind) do update set count = dropped.count + excluded.count,
        bytes = dropped.bytes + excluded.bytes, from_ms = least(dropped.from_ms, excluded.from_ms),
        to_ms = greatest(dropped.to_ms, excluded.to_ms)
    )
    select count(*) as count from gone
  `.execute(tx);
  return rows[0]?.count ?? 0;
}
