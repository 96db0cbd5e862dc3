import { sql, type Kysely } from 'kysely';
import type { Status } from '#shared/wire/status.ts';
import type { Tables } from '../database/tables.ts';
import { asText } from '../database/text.ts';

/** What an agent said of itself, in the order it was heard. */
export interface StatusReport {
  readonly agent: string;
  readonly status: Status;
}

/**
 * The report of each agent that counts: the newest, except that a will counts only for the session
 * it was given with. A will that is the first one heard is left to be compared with what is stored.
 */
export function newestReports(reports: readonly StatusReport[]): StatusReport[] {
  const newest = new Map<string, StatusReport>();
  for (const report of reports) {
    const { online, session } = report.status;
    const before = newest.get(report.agent)?.status;
    if (!online && before !== undefined && before.session !== session) continue;
    newest.set(report.agent, report);
  }
  return [...newest.values()];
}

export async function writeStatuses(
  tx: Kysely<Tables>,
  reports: readonly StatusReport[],
): Promise<void> {
  const rows = newestReports(reports).map(({ agent, status }) => ({
    agent: asText(agent),
    online: status.online,
    session: asText(status.session),
    at: status.at,
    body: JSON.stringify(status, (_, value: unknown) =>
      typeof value === 'string' ? asText(value) : value,
    ),
  }));
  if (rows.length === 0) return;
  await sql`
    insert into agent_status (agent_id, online, session, at_ms, body)
    select agent.id, r.online, r.session, r.at, r.body::jsonb
    from json_to_recordset(${JSON.stringify(rows)}::json) as r (agent text, online boolean,
      session text, at bigint, body text)
    join agent on agent.id = r.agent
    on conflict (agent_id) do update set online = excluded.online, session = excluded.session,
      at_ms = excluded.at_ms, body = excluded.body
    where excluded.online or agent_status.session = excluded.session
  `.execute(tx);
}

/** Nobody is connected to a broker that has just started with this process. */
export async function markAllOffline(db: Kysely<Tables>, nowMs: number): Promise<void> {
  await sql`update agent_status set online = false, at_ms = ${nowMs} where online`.execute(db);
}
