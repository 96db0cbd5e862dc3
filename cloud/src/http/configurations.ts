import type { FastifyRequest } from 'fastify';
import type { Transaction } from 'kysely';
import { z } from 'zod';
import { checkConfig, ConfigError } from '#shared/config-file.ts';
import { agentId, ID_PATTERN, type AgentId } from '#shared/ids.ts';
import {
  MAX_CONFIG_BYTES,
  REMOTE_SECTIONS,
  remoteSectionsSchema,
  type RemoteSections,
} from '#shared/wire/config.ts';
import { stateOf, wordsOf } from '../configuration/core/state.ts';
import { reportOf } from '../configuration/reports.ts';
import { getVersion, listVersions, newestVersion, want } from '../configuration/versions.ts';
import type { Tables } from '../database/tables.ts';
import { isAgent } from '../identity/agents.ts';
import { identityOf, scopeOf, TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import {
  configurationChangeSchema,
  configurationRestoreSchema,
  configurationSchema,
  configurationVersionSchema,
  pageOf,
  type Configuration,
} from './contract.ts';
import { problems } from './openapi.ts';
import { numberAfter, pageFrom } from './page.ts';
import { Refused } from './problem.ts';
import { found, granted, ID_PATH, PAGE_QUERY } from './resource.ts';

const VERSION_PATH = z.object({
  id: z.string().regex(ID_PATTERN),
  version: z.string().regex(/^[1-9]\d{0,14}$/, 'expected a version: 1, 2, 3 …'),
});
/** A version may have a quarter of a megabyte. */
const MOST_VERSIONS = 100;
/** More than stands around a configuration on its way to the agent. */
const ENVELOPE_BYTES = 64;
/** A reader calls itself for every level; agents' files have five. */
const MOST_LEVELS = 32;

/** What is set of agents' configurations from afar, and what became of it. */
export function configurationRoutes(api: Api, deps: ApiDeps): void {
  const { database } = deps;
  const tags = ['configuration'];
  api.get(
    '/agents/:id/config',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'getConfiguration',
        tags,
        summary: 'What is wanted of an agent, what it says of that, and whether the two agree',
        params: ID_PATH,
        response: { 200: configurationSchema, ...problems(404) },
      },
    },
    async (request) => {
      const agent = agentId(request.params.id);
      return await database.scoped(scopeOf(request), (tx) => configurationOf(tx, agent));
    },
  );
  api.put(
    '/agents/:id/config',
    {
      config: { roles: TECHNICAL },
      bodyLimit: MAX_CONFIG_BYTES,
      schema: {
        operationId: 'changeConfiguration',
        tags,
        summary: 'A new version of what is wanted; the agent tries it and keeps it or goes back',
        description:
          `Sections of agent.yaml: ${REMOTE_SECTIONS.join(', ')}. Each replaces the one of the ` +
          'local file as a whole; `{}` is the local file alone. Who the agent is and where its ' +
          'store lies cannot be set. Secrets have no place here: `tls` names files on the ' +
          "gateway. Links name bins of the agent's site, each once. `expectedVersion` is the " +
          'version that the change rests on.',
        params: ID_PATH,
        body: configurationChangeSchema,
        response: { 200: configurationSchema, ...problems(404, 409, 413, 415) },
      },
    },
    (request) => change(deps, request, request.body.config),
  );
  api.get(
    '/agents/:id/config/versions',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'listConfigurationVersions',
        tags,
        summary: 'Every version that was ever wanted, newest first',
        description: `A page has at most ${MOST_VERSIONS}, whatever the limit.`,
        params: ID_PATH,
        querystring: PAGE_QUERY,
        response: { 200: pageOf(configurationVersionSchema), ...problems(404) },
      },
    },
    async (request) => {
      const agent = agentId(request.params.id);
      const limit = Math.min(request.query.limit, MOST_VERSIONS);
      const listing = { before: numberAfter(request.query.cursor), limit: limit + 1 };
      const items = await database.scoped(scopeOf(request), async (tx) => {
        await assertAgent(tx, agent);
        return await listVersions(tx, agent, listing);
      });
      return pageFrom(items, limit, ({ version }) => version);
    },
  );
  api.post(
    '/agents/:id/config/versions/:version/restore',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'restoreConfiguration',
        tags,
        summary: 'A new version with the contents of an older one',
        params: VERSION_PATH,
        body: configurationRestoreSchema,
        response: { 200: configurationSchema, ...problems(404, 409, 413, 415) },
      },
    },
    async (request) => {
      const agent = agentId(request.params.id);
      const version = Number(request.params.version);
      const old = await database.scoped(scopeOf(request), (tx) => getVersion(tx, agent, version));
      const { config } = found(old, `version ${version} of ${agent}`);
      return await change(deps, request, config);
    },
  );
}

interface Change {
  readonly params: { readonly id: string };
  readonly body: { readonly expectedVersion: number; readonly note: string };
}

async function change(
  { database, clock, onConfiguration }: ApiDeps,
  request: FastifyRequest & Change,
  config: Readonly<Record<string, unknown>>,
): Promise<Configuration> {
  const agent = agentId(request.params.id);
  const author = identityOf(request);
  const wish = { ...request.body, agent, author, config: sectionsOf(config) };
  const outcome = await database.transaction((tx) => want(tx, wish, clock.wallMs()));
  if (!outcome.ok && outcome.reason === 'configuration-at-odds') {
    throw new Refused(
      outcome.reason,
      undefined,
      outcome.faults.map(({ path, expected }) => fieldError(path, expected)),
    );
  }
  granted(outcome, agent);
  onConfiguration(agent);
  return await database.scoped(scopeOf(request), (tx) => configurationOf(tx, agent));
}

/** @throws Refused `not-found` */
async function configurationOf(tx: Transaction<Tables>, agent: AgentId): Promise<Configuration> {
  await assertAgent(tx, agent);
  const desired = (await newestVersion(tx, agent)) ?? null;
  const reported = (await reportOf(tx, agent)) ?? null;
  const newest = desired?.version ?? 0;
  const inForce = reported?.inForce ?? 0;
  const state = stateOf(newest, reported);
  return {
    agentId: agent,
    state,
    says: wordsOf(newest, reported),
    agrees: state === 'applied' || state === 'local',
    desired,
    inForce: (await getVersion(tx, agent, inForce)) ?? null,
    reported,
  };
}

async function assertAgent(tx: Transaction<Tables>, agent: AgentId): Promise<void> {
  found((await isAgent(tx, agent)) || undefined, agent);
}

/** @throws Refused `invalid` with all that is wrong, `malformed` or `too-large` */
function sectionsOf(config: Readonly<Record<string, unknown>>): RemoteSections {
  refuseDepth(config);
  const bytes = Buffer.byteLength(JSON.stringify(config));
  if (bytes > MAX_CONFIG_BYTES - ENVELOPE_BYTES) throw new Refused('too-large');
  try {
    return checkConfig('config', config, remoteSectionsSchema);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const faults = error.faults.map(({ key, expected }) => fieldError(key.split('.'), expected));
    throw new Refused('invalid', 'The configuration is not as expected', faults);
  }
}

/** With a JSON pointer (RFC 6901) into the body. */
function fieldError(path: readonly (string | number)[], expected: string) {
  const parts = ['config', ...path].map((part) =>
    String(part).replaceAll('~', '~0').replaceAll('/', '~1'),
  );
  return { pointer: `/${parts.join('/')}`, detail: `expected ${expected}` };
}

/** Before the sections are looked into, which takes a call for each level. */
function refuseDepth(config: object): void {
  let level: unknown[] = [config];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) throw new Refused('malformed', `More than ${MOST_LEVELS} levels deep`);
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null ? Object.values(value) : [],
    );
  }
}
