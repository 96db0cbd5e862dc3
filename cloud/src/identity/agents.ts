import { sql, type Kysely } from 'kysely';
import type { AgentId, SiteId } from '#shared/ids.ts';
import type { ReportedConfig } from '#shared/wire/config.ts';
import type { Status } from '#shared/wire/status.ts';
import { stateOf, type ConfigurationState } from '../configuration/core/state.ts';
import type { Tables } from '../database/tables.ts';
import { done, refused, type Listing, type Outcome } from '../stock/listing.ts';
import { getSite } from '../stock/sites.ts';
import { hashOf, newSecret } from './secrets.ts';

/** An agent as it last said it is, and what was received of it. */
export interface Agent {
  readonly id: AgentId;
  readonly siteId: SiteId;
  readonly online: boolean;
  /** Since when it is shut out; null where it is not. */
  readonly disabledAt: number | null;
  /** When its status was last reported; null before the first time. */
  readonly seenAt: number | null;
  readonly version: string | null;
  /** Readings in its outbox. */
  readonly backlog: number | null;
  /** Batches stored and folded, over all its outboxes. */
  readonly receivedBatches: number;
  readonly lastBatchAt: number | null;
  readonly devices: NonNullable<Status['devices']>;
  readonly configuration: {
    readonly state: ConfigurationState;
    /** The newest version wanted from afar; 0 for none. */
    readonly desired: number;
    /** As the agent last said; 0 for its local file alone. */
    readonly inForce: number;
    /** When it last said so; null before the first time. */
    readonly reportedAt: number | null;
  };
  /** What is wrong with the agent itself. */
  readonly alarms: NonNullable<Status['alarms']>;
}

/** @returns also the secret, its MQTT password, which is not kept and cannot be shown again */
export async function createAgent(
  db: Kysely<Tables>,
  { id, siteId }: { readonly id: AgentId; readonly siteId: SiteId },
  nowMs: number,
): Promise<Outcome<{ id: AgentId; siteId: SiteId; secret: string }, 'exists' | 'unknown-site'>> {
  if ((await getSite(db, siteId)) === undefined) return refused('unknown-site');
  const secret = newSecret();
  const row = await db
    .insertInto('agent')
    .values({ id, site_id: siteId, secret_hash: hashOf(secret), created_ms: nowMs })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row === undefined ? refused('exists') : done({ id, siteId, secret });
}

export async function isAgent(db: Kysely<Tables>, agent: AgentId): Promise<boolean> {
  const row = await db.selectFrom('agent').select('id').where('id', '=', agent).executeTakeFirst();
  return row !== undefined;
}

/** Sorted by id; also for a scoped reader. */
export async function listAgents(
  db: Kysely<Tables>,
  { after, limit, ids }: Listing<AgentId> & { readonly ids?: readonly AgentId[] | undefined },
): Promise<Agent[]> {
  const where = [
    ids !== undefined && sql`agent.id = any(${[...ids]}::text[])`,
    after !== undefined && sql`agent.id > ${after}`,
  ].filter((condition) => condition !== false);
  const { rows } = await sql<AgentRow>`
    select agent.id, agent.site_id as "siteId", coalesce(status.online, false) as online,
      agent.disabled_ms as "disabledAt",
      status.at_ms as "seenAt", status.body, coalesce(received.batches, 0) as "receivedBatches",
      received.last_at as "lastBatchAt", coalesce(wanted.version, 0) as desired,
      report.version as "seenVersion", report.state, coalesce(report.in_force, 0) as "inForce",
      report.received_ms as "reportedAt"
    from agent
    left join (
      select agent_id, max(version) as version from agent_configuration group by agent_id
    ) as wanted on wanted.agent_id = agent.id
    left join agent_configuration_report as report on report.agent_id = agent.id
    left join agent_status as status on status.agent_id = agent.id
    left join (
      select agent_id, sum(seq)::bigint as batches, max(at_ms) as last_at
      from cursor group by agent_id
    ) as received on received.agent_id = agent.id
    ${where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`}
    order by agent.id
    limit ${limit}`.execute(db);
  return rows.map(({ body, desired, seenVersion, state, inForce, reportedAt, ...row }) => ({
    ...row,
    version: body?.version ?? null,
    backlog: body?.backlog ?? null,
    devices: body?.devices ?? [],
    alarms: body?.alarms ?? [],
    configuration: {
      state: stateOf(desired, state && { version: seenVersion ?? 0, state, inForce }),
      desired,
      inForce,
      reportedAt,
    },
  }));
}

type AgentRow = Omit<Agent, 'version' | 'backlog' | 'devices' | 'alarms' | 'configuration'> & {
  readonly body: Status | null;
  readonly desired: number;
  readonly seenVersion: number | null;
  readonly state: ReportedConfig['state'] | null;
  readonly inForce: number;
  readonly reportedAt: number | null;
};
