import { sql, type Kysely } from 'kysely';
import type { AgentId } from '#shared/ids.ts';
import type { ReportedConfig } from '#shared/wire/config.ts';
import type { Tables } from '../database/tables.ts';
import { asText } from '../database/text.ts';

/** What an agent said of its configuration, and when that came. */
export interface ConfigurationReport {
  readonly agent: string;
  readonly receivedMs: number;
  readonly report: ReportedConfig;
}

/** The newest report of an agent. */
export interface Reported extends Omit<ReportedConfig, 'reason' | 'problems'> {
  readonly reason: string | null;
  readonly problems: NonNullable<ReportedConfig['problems']>;
  readonly receivedAt: number;
}

/** Enough for people; what goes beyond is cut. */
const MAX_TEXT = 1_000;
const MAX_PROBLEMS = 100;

/**
 * Keeps the newest report of each agent, oldest first: the last to come counts, since the broker
 * keeps the order of an agent's messages, and its clock may not.
 */
export async function writeReports(
  tx: Kysely<Tables>,
  reports: readonly ConfigurationReport[],
): Promise<void> {
  if (reports.length === 0) return;
  const newest = new Map(reports.map((heard) => [heard.agent, rowOf(heard)]));
  await sql`
    insert into agent_configuration_report (agent_id, version, state, in_force, at_ms, received_ms,
      reason, problems)
    select agent.id, r.version, r.state, r."inForce", r.at, r."receivedMs", r.reason,
      r.problems::json
    from json_to_recordset(${JSON.stringify([...newest.values()])}::json) as r (agent text,
      version bigint, state text, "inForce" bigint, at bigint, "receivedMs" bigint, reason text,
      problems text)
    join agent on agent.id = r.agent
    on conflict (agent_id) do update set version = excluded.version, state = excluded.state,
      in_force = excluded.in_force, at_ms = excluded.at_ms, received_ms = excluded.received_ms,
      reason = excluded.reason, problems = excluded.problems
  `.execute(tx);
}

function rowOf({ agent, receivedMs, report }: ConfigurationReport) {
  const { version, state, inForce, at, reason, problems = [] } = report;
  const told = problems.slice(0, MAX_PROBLEMS).map(({ key, expected }) => {
    return { key: plain(key), expected: plain(expected) };
  });
  return {
    agent: asText(agent),
    version,
    state,
    inForce,
    at,
    receivedMs,
    reason: reason === undefined ? null : plain(reason),
    problems: JSON.stringify(told),
  };
}

/** Cut first, which may halve a surrogate pair. */
const plain = (text: string): string => asText(text.slice(0, MAX_TEXT));

/** @returns `undefined` where the agent never reported */
export async function reportOf(db: Kysely<Tables>, agent: AgentId): Promise<Reported | undefined> {
  const row = await db
    .selectFrom('agent_configuration_report')
    .selectAll()
    .where('agent_id', '=', agent)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { version, state, in_force, at_ms, received_ms, reason, problems } = row;
  return {
    version,
    state,
    inForce: in_force,
    at: at_ms,
    receivedAt: received_ms,
    reason,
    problems,
  };
}
