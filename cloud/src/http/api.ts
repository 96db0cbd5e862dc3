import { randomUUID } from 'node:crypto';
import fastifySwagger from '@fastify/swagger';
import fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import {
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Transaction } from 'kysely';
import type { Registry } from 'prom-client';
import type { Clock } from '#shared/clock.ts';
import type { AgentId, BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/tables.ts';
import { listAgents } from '../identity/agents.ts';
import { verifyKey } from '../identity/keys.ts';
import type { ReadingsStore } from '../readings/store.ts';
import { listStock, type LiveReadings } from '../stock/view.ts';
import { admit, type Identify } from './access.ts';
import { agentRoutes } from './agents.ts';
import { binRoutes } from './bins.ts';
import { configurationRoutes } from './configurations.ts';
import { consumptionRoutes } from './consumption.ts';
import { credentialRoutes } from './credentials.ts';
import { customerRoutes } from './customers.ts';
import { EventFeed, type ChangeSource, type Views } from './event-feed.ts';
import { eventRoutes } from './events.ts';
import { historyRoutes } from './histories.ts';
import { keyRoutes } from './keys.ts';
import { OPENAPI } from './openapi.ts';
import { sendThrown } from './problem.ts';
import { productRoutes } from './products.ts';
import { quarantineRoutes } from './quarantine.ts';
import { ALL } from './resource.ts';
import { siteRoutes } from './sites.ts';
import { stockRoutes } from './stock.ts';
import { serveTerminals } from './terminals.ts';
import { descriptionRoutes, measureAnswers, upkeepRoutes } from './upkeep.ts';

/** Who owns the bins' ledgers and does one thing to them at a time. */
export interface LedgerOwner {
  /** Makes a change, and in the same transaction tells a bin's history anew from when it says. */
  restateBin(
    bin: BinId,
    cause: 'setup-changed',
    change: (tx: Transaction<Tables>) => Promise<number | null>,
  ): Promise<void>;
  /** Compares a ledger with what all stored readings say; restates it with `repair`. */
  recompute(
    bin: BinId,
    repair: boolean,
  ): Promise<{
    readonly equal: boolean;
    readonly written: string;
    readonly told: string;
    readonly movements: number;
  }>;
  /** Tries quarantined messages and rows again, oldest first. */
  readmit(wanted: {
    readonly id?: number | undefined;
    readonly agent?: AgentId | undefined;
    readonly after?: number | undefined;
    readonly limit: number;
  }): Promise<{
    readonly items: readonly {
      readonly id: number;
      readonly agent: string;
      readonly outcome: 'taken' | 'partly' | 'refused';
      readonly stored: number;
      readonly duplicates: number;
      readonly reason: string | null;
    }[];
  }>;
  /** Bins or agents were created or changed. */
  forgetCatalogue(): void;
}

export interface ApiDeps {
  readonly database: Database;
  readonly readings: ReadingsStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Registry;
  /** What ingest says has changed, and what agents showed ahead. */
  readonly changes: ChangeSource & LiveReadings;
  readonly ledger: LedgerOwner;
  /** Hears of every new version that is wanted of an agent's configuration. */
  readonly onConfiguration: (agent: AgentId) => void;
  /** Ends the live session of an agent whose credential is no longer good. */
  readonly endSession: (agent: AgentId) => void;
  /** What is wrong with the stores, as far as was found; null where nothing is. */
  readonly fault: () => string | null;
  /** Folder of the built terminals, which may appear later. */
  readonly terminals: string;
  readonly eventTimes?: { readonly gatherMs: number; readonly heartbeatMs: number };
}

/** The server, or a part of it, with zod for the types of its routes. */
export type Api = ReturnType<typeof withZod>;

function withZod(app: FastifyInstance) {
  return app.withTypeProvider<ZodTypeProvider>();
}

const EVENT_TIMES = { gatherMs: 250, heartbeatMs: 15 * SECOND_MS };
/** Far more than any body that is expected. */
const MOST_BYTES = 64 * 1_024;
/** Until a request has arrived whole; by itself fastify waits for ever. */
const REQUEST_MS = 30 * SECOND_MS;

/**
 * What browsers are told: only what comes from here runs, styles may be inline (Mantine sets them
 * so), and nobody frames a terminal.
 */
const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The API under /api/v1, the terminals, and what operators ask; not yet listening. */
export async function createApi(deps: ApiDeps): Promise<FastifyInstance> {
  const loggerInstance: FastifyBaseLogger = deps.log;
  const app = fastify({
    loggerInstance,
    // The log tells of changes of state; answers are counted, and our faults are logged.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: MOST_BYTES,
    requestTimeout: REQUEST_MS,
    frameworkErrors: (error, request, reply) => void sendThrown(error, request, reply),
  });
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendThrown);
  app.decorateRequest('identity', null);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
  });
  measureAnswers(withZod(app), deps);
  await app.register(fastifySwagger, OPENAPI);
  upkeepRoutes(withZod(app), deps);
  await app.register(async (api) => addApi(withZod(api), deps), { prefix: '/api/v1' });
  await serveTerminals(app, deps.terminals);
  return app;
}

function addApi(api: Api, deps: ApiDeps): void {
  const identify: Identify = (key) => verifyKey(deps.database.sql, key);
  api.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    await admit(request, identify);
  });
  productRoutes(api, deps);
  customerRoutes(api, deps);
  siteRoutes(api, deps);
  binRoutes(api, deps);
  historyRoutes(api, deps);
  stockRoutes(api, deps);
  consumptionRoutes(api, deps);
  agentRoutes(api, deps);
  configurationRoutes(api, deps);
  credentialRoutes(api, deps);
  quarantineRoutes(api, deps);
  keyRoutes(api, deps);
  descriptionRoutes(api);
  const feed = openFeed(deps);
  // Before the server waits for open requests, of which streams are such as never end.
  api.addHook('preClose', () => feed.close());
  eventRoutes(api, feed, identify);
}

function openFeed(deps: ApiDeps): EventFeed {
  const { database, readings, clock, log, changes, eventTimes = EVENT_TIMES } = deps;
  const views: Views = {
    async stock(scope, bins) {
      const query = { ...(bins !== 'all' && { binIds: bins }), limit: ALL };
      return await listStock({ database, readings, live: changes }, scope, query, clock.wallMs());
    },
    async agents(agents) {
      return await listAgents(database.sql, {
        ...(agents !== 'all' && { ids: agents }),
        limit: ALL,
      });
    },
  };
  return new EventFeed({ changes, views, clock, log, run: randomUUID(), ...eventTimes });
}
