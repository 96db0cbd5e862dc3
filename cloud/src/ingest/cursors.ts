import { sql, type Kysely } from 'kysely';
import type { AgentId, Epoch } from '#shared/ids.ts';
import type { Tables } from '../database/tables.ts';

/** How far one outbox of one agent is stored and folded. */
export interface Cursor {
  readonly agent: AgentId;
  readonly epoch: Epoch;
  readonly seq: number;
}

/** The cursors in memory, as they were committed. */
export interface CursorCache {
  load(wanted: readonly { readonly agent: string; readonly epoch: string }[]): Promise<void>;
  /** 0 where no batch of the outbox was ever taken. */
  get(agent: string, epoch: string): number;
  committed(cursors: readonly Cursor[]): void;
}

/** Old outboxes leave memory when there are so many; they are a row each in SQL. */
const MAX_CURSORS = 100_000;

export function createCursorCache(db: Kysely<Tables>): CursorCache {
  const seqs = new Map<string, number>();
  return {
    async load(wanted) {
      if (seqs.size > MAX_CURSORS) seqs.clear();
      const missing = wanted.filter(({ agent, epoch }) => !seqs.has(keyOf(agent, epoch)));
      if (missing.length === 0) return;
      const { rows } = await sql<Cursor>`
        select agent_id as agent, cursor.epoch, seq from cursor
        join json_to_recordset(${JSON.stringify(missing)}::json) as r (agent text, epoch text)
          on cursor.agent_id = r.agent and cursor.epoch = r.epoch
      `.execute(db);
      for (const { agent, epoch } of missing) seqs.set(keyOf(agent, epoch), 0);
      for (const { agent, epoch, seq } of rows) seqs.set(keyOf(agent, epoch), seq);
    },
    get: (agent, epoch) => seqs.get(keyOf(agent, epoch)) ?? 0,
    committed(cursors) {
      for (const { agent, epoch, seq } of cursors) seqs.set(keyOf(agent, epoch), seq);
    },
  };
}

/** Whether any batch was ever taken: its agent has forgotten it, so the readings store has it. */
export async function anyTaken(db: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql`select from cursor limit 1`.execute(db);
  return rows.length > 0;
}

const keyOf = (agent: string, epoch: string): string => `${agent} ${epoch}`;

export async function writeCursors(
  tx: Kysely<Tables>,
  cursors: readonly Cursor[],
  nowMs: number,
): Promise<void> {
  if (cursors.length === 0) return;
  await sql`
    insert into cursor (agent_id, epoch, seq, at_ms)
    select agent, epoch, seq, ${nowMs}::bigint
    from json_to_recordset(${JSON.stringify(cursors)}::json) as r (agent text, epoch text,
      seq bigint)
    on conflict (agent_id, epoch) do update set seq = excluded.seq, at_ms = excluded.at_ms
  `.execute(tx);
}
