import { sql, type Kysely, type Transaction } from 'kysely';
import type { AgentId, BinId } from '#shared/ids.ts';
import type { DesiredConfig, RemoteSections } from '#shared/wire/config.ts';
import type { Row, Tables } from '../database/tables.ts';
import { done, refused, type Outcome } from '../stock/listing.ts';
import { binsOf, faultsOf, type Fault } from './core/checks.ts';
import { nextVersion } from './core/state.ts';
import { reportOf } from './reports.ts';

/** What was wanted of an agent, by whom and why. */
export interface Version {
  readonly version: number;
  /** Sections in place of those of the local file; empty for the local file alone. */
  readonly config: DesiredConfig['config'];
  readonly at: number;
  /** Name of the key it was sent with. */
  readonly author: string;
  readonly note: string;
}

export interface Wish {
  readonly agent: AgentId;
  readonly config: RemoteSections;
  /** The newest version that the author knew of; 0 for none. */
  readonly expectedVersion: number;
  readonly author: { readonly id: string; readonly name: string };
  readonly note: string;
}

type Wanted =
  | Outcome<Version, 'not-found' | 'version-conflict'>
  | {
      readonly ok: false;
      readonly reason: 'configuration-at-odds';
      readonly faults: readonly Fault[];
    };

/** A new version, in a transaction: it is judged by what is there when it is kept. */
export async function want(tx: Transaction<Tables>, wish: Wish, nowMs: number): Promise<Wanted> {
  const { agent, config, author, note, expectedVersion } = wish;
  const site = await siteOf(tx, agent);
  if (site === undefined) return refused('not-found');
  const desired = (await newestVersion(tx, agent))?.version ?? 0;
  if (desired !== expectedVersion) return refused('version-conflict');
  const faults = await judge(tx, { agent, site, config });
  if (faults.length > 0) return { ok: false, reason: 'configuration-at-odds', faults };
  const row = await tx
    .insertInto('agent_configuration')
    .values({
      agent_id: agent,
      version: nextVersion(desired, (await reportOf(tx, agent)) ?? null),
      config: JSON.stringify(config),
      author_key: author.id,
      author: author.name,
      at_ms: nowMs,
      note,
    })
    // Where transactions run side by side, another may have come first.
    .onConflict((conflict) => conflict.columns(['agent_id', 'version']).doNothing())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? refused('version-conflict') : done(versionOf(row));
}

async function siteOf(tx: Kysely<Tables>, agent: AgentId): Promise<string | undefined> {
  const row = await tx
    .selectFrom('agent')
    .select('site_id')
    .where('id', '=', agent)
    .executeTakeFirst();
  return row?.site_id;
}

async function judge(
  tx: Kysely<Tables>,
  wish: { readonly agent: AgentId; readonly site: string; readonly config: RemoteSections },
): Promise<Fault[]> {
  const { agent, site, config } = wish;
  const named = binsOf(config).map(({ bin }) => bin as BinId);
  if (named.length === 0) return faultsOf(config, { site, sites: new Map(), taken: new Map() });
  const bins = await tx
    .selectFrom('bin')
    .select(['id', 'site_id'])
    .where('id', 'in', named)
    .execute();
  const { rows: others } = await sql<{ agent: AgentId; config: RemoteSections }>`
    select distinct on (agent_id) agent_id as agent, config
    from agent_configuration join agent on agent.id = agent_id
    where site_id = ${site} and agent_id <> ${agent}
    order by agent_id, version desc`.execute(tx);
  const taken = others.flatMap((other) =>
    binsOf(other.config).map(({ bin }) => [bin, other.agent] as const),
  );
  const sites = new Map<string, string>(bins.map((row) => [row.id, row.site_id]));
  return faultsOf(config, { site, sites, taken: new Map(taken) });
}

/** @returns `undefined` where nothing was ever wanted of it */
export async function newestVersion(
  db: Kysely<Tables>,
  agent: AgentId,
): Promise<Version | undefined> {
  const [newest] = await listVersions(db, agent, { limit: 1 });
  return newest;
}

export async function getVersion(
  db: Kysely<Tables>,
  agent: AgentId,
  version: number,
): Promise<Version | undefined> {
  const row = await db
    .selectFrom('agent_configuration')
    .selectAll()
    .where('agent_id', '=', agent)
    .where('version', '=', version)
    .executeTakeFirst();
  return row && versionOf(row);
}

/** Newest first, those before a version. */
export async function listVersions(
  db: Kysely<Tables>,
  agent: AgentId,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<Version[]> {
  const page = db
    .selectFrom('agent_configuration')
    .selectAll()
    .where('agent_id', '=', agent)
    .orderBy('version', 'desc')
    .limit(limit);
  const rows = await (before === undefined ? page : page.where('version', '<', before)).execute();
  return rows.map(versionOf);
}

function versionOf(row: Row<'agent_configuration'>): Version {
  const { version, config, at_ms, author, note } = row;
  return { version, config, at: at_ms, author, note };
}
