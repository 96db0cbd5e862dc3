import { sql, type Kysely } from 'kysely';
import type { AgentId } from '#shared/ids.ts';
import type { Tables } from '../database/tables.ts';

/** A message, or one row of it, that could not be taken. */
interface Quarantined {
  readonly id: number;
  /** Whose topic it came on; not necessarily an agent we know. */
  readonly agentId: string;
  readonly receivedAt: number;
  readonly epoch: string | null;
  readonly seq: number | null;
  readonly index: number | null;
  readonly reason: string;
  readonly kind: string;
  /** As it came. */
  readonly payload: Uint8Array;
  /** How often the same came. */
  readonly times: number;
}

/** Newest first. */
export async function listQuarantine(
  db: Kysely<Tables>,
  { agent, before, limit }: { agent: AgentId | undefined; before: number; limit: number },
): Promise<Quarantined[]> {
  const { rows } = await sql<Quarantined>`
    select id, agent_id as "agentId", received_ms as "receivedAt", epoch, seq,
      row_index as "index", reason, kind, payload, times
    from quarantine
    where id < ${before} and (${agent ?? null}::text is null or agent_id = ${agent ?? null})
    order by id desc limit ${limit}
  `.execute(db);
  return rows;
}

/** What is kept of an agent's by kind of reason, and what had to leave. */
interface QuarantineKind {
  /** 1, 2, 3 … by agent and kind. */
  readonly place: number;
  readonly agentId: string;
  readonly kind: string;
  readonly kept: number;
  readonly keptBytes: number;
  readonly dropped: number;
  readonly droppedBytes: number;
  readonly droppedFrom: number | null;
  readonly droppedTo: number | null;
}

export async function listKinds(
  db: Kysely<Tables>,
  { agent, after, limit }: { agent: AgentId | undefined; after: number; limit: number },
): Promise<QuarantineKind[]> {
  const { rows } = await sql<QuarantineKind>`
    select * from (
      select row_number() over (order by agent_id, kind) as place, agent_id as "agentId", kind,
        coalesce(kept, 0) as kept, coalesce(kept_bytes, 0) as "keptBytes",
        coalesce(dropped.count, 0) as dropped, coalesce(dropped.bytes, 0) as "droppedBytes",
        from_ms as "droppedFrom", to_ms as "droppedTo"
      from (
        select agent_id, kind, count(*) as kept, sum(bytes)::bigint as kept_bytes
        from quarantine group by agent_id, kind
      ) as held
      full join quarantine_dropped as dropped using (agent_id, kind)
      where ${agent ?? null}::text is null or agent_id = ${agent ?? null}
    ) as placed
    where place > ${after} order by place limit ${limit}
  `.execute(db);
  return rows;
}
