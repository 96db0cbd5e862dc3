import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { systemClock } from '#shared/clock.ts';
import { ConfigError } from '#shared/config-file.ts';
import { Failure } from '#shared/failure.ts';
import type { AgentId } from '#shared/ids.ts';
import { createLog, type Log } from '#shared/log.ts';
import { SECOND_MS } from '#shared/units.ts';
import { openEmbeddedBroker } from './broker/embedded.ts';
import { loadConfig, type Config } from './config.ts';
import type { Database } from './database/database.ts';
import { openPglite } from './database/pglite.ts';
import { createApi } from './http/api.ts';
import { mayConnect, verifyAgent } from './identity/credentials.ts';
import { ensureFirstKey } from './identity/first-key.ts';
import { verifyKey } from './identity/keys.ts';
import { createChanges } from './ingest/changes.ts';
import { anyTaken } from './ingest/cursors.ts';
import { openIngest } from './ingest/ingest.ts';
import { createIngestMetrics } from './ingest/metrics.ts';
import { markAllOffline } from './ingest/status.ts';
import { startInspection } from './readings/inspection.ts';
import { openSqliteReadings } from './readings/sqlite.ts';
import type { ReadingsStore } from './readings/store.ts';
import { allBins } from './stock/bins.ts';

/** Each step of stopping may take so long before the next one begins all the same. */
const DEADLINE_MS = 10 * SECOND_MS;
const TERMINALS = join(import.meta.dirname, '..', 'terminals', 'dist');

/** What was opened and how to end it, to be ended in the opposite order. */
class Opened {
  readonly #log: Log;
  readonly #ends: { readonly what: string; readonly end: () => Promise<unknown> }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(what: string, end: () => Promise<unknown>): void {
    this.#ends.push({ what, end });
  }

  async close(): Promise<void> {
    for (let last = this.#ends.pop(); last !== undefined; last = this.#ends.pop()) {
      await this.#within(last.what, last.end);
    }
  }

  async #within(what: string, end: () => Promise<unknown>): Promise<void> {
    const inTime = new AbortController();
    const late = pause(DEADLINE_MS, 'late', { signal: inTime.signal }).catch(() => 'in time');
    try {
      if ((await Promise.race([end(), late])) === 'late') this.#log.warn({ what }, 'not in time');
    } catch (error) {
      this.#log.error({ err: error, what }, 'not stopped cleanly');
    } finally {
      inTime.abort();
    }
  }
}

/**
 * Profile `embedded`: broker, stores, ingest and API in this process.
 * @param onFault hears when the stores are of no use any more
 */
async function startEmbedded(
  config: Config,
  log: Log,
  opened: Opened,
  onFault: (fault: unknown) => void,
): Promise<void> {
  const { dataDir } = config;
  const clock = systemClock;
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const changes = createChanges();

  const database = await openPglite(join(dataDir, 'database'), { log });
  opened.add('database', () => database.close());
  const readings = await openReadings(join(dataDir, 'readings.sqlite'), database);
  opened.add('readings', () => readings.close());
  const inspection = startInspection({ readings, log, bins: () => allBins(database.sql) });
  opened.add('inspection', () => inspection.close());
  const keyFile = join(dataDir, 'first-key');
  if (await ensureFirstKey(database, keyFile, clock.wallMs())) {
    log.info({ file: keyFile }, "the first supplier's API key is in this file");
  }
  // No agent is connected to a broker that is only now to be opened.
  await markAllOffline(database.sql, clock.wallMs());

  // Agents get in once someone listens to them: what they sent before would reach nobody.
  const listening = Promise.withResolvers<void>();
  const broker = await openEmbeddedBroker({
    ...config.broker,
    log,
    async authenticate(agent, secret) {
      await listening.promise;
      return await verifyAgent(database.sql, agent, secret);
    },
    async isAgent(agent) {
      await listening.promise;
      return await mayConnect(database.sql, agent);
    },
    async mayObserve(key) {
      const role = (await verifyKey(database.sql, key))?.role;
      return role === 'supplier' || role === 'technician';
    },
  });
  opened.add('broker', () => broker.close());
  const ingest = await openIngest({
    readings,
    changes,
    clock,
    log,
    onFault,
    db: database,
    broker: broker.access,
    metrics: createIngestMetrics(metrics),
  });
  opened.add('ingest', () => ingest.close());
  listening.resolve();

  const terminals = TERMINALS;
  const endSession = (agent: AgentId) => broker.disconnect(agent);
  const onConfiguration = (agent: AgentId) => ingest.configurationChanged(agent);
  const stores = { database, readings, clock, log, metrics, changes };
  const told = { endSession, onConfiguration, ledger: ingest };
  const fault = (): string | null => inspection.fault();
  const api = await createApi({ ...stores, ...told, fault, terminals });
  opened.add('api', () => api.close());
  await api.listen({ ...config.http }).catch((error: unknown) => {
    throw listenFailure(error, config.http);
  });
  opened.add('intake', () => ingest.drain());
  const { host, port } = config.http;
  log.info({ http: `http://${host}:${port}`, broker: broker.access.url, dataDir }, 'ready');
}

/** A missing file is made anew only where nothing can have been in it. */
async function openReadings(file: string, database: Database): Promise<ReadingsStore> {
  if (!existsSync(file) && (await anyTaken(database.sql))) {
    const message = `${file}: missing, though readings were taken; restore it from a backup`;
    throw new Failure('readings-missing', message, { retry: 'never' });
  }
  return openSqliteReadings(file);
}

function listenFailure(cause: unknown, { host, port }: Config['http']): Failure {
  const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
  const why = inUse ? 'is in use by another program' : 'cannot be listened on';
  return new Failure('port-in-use', `http: ${host}:${port} ${why}`, { retry: 'never', cause });
}

async function run({ config: file }: { config: string }): Promise<void> {
  const config = loadConfig(file);
  const log = createLog('cloud', config.log);
  const opened = new Opened(log);
  const stop = Promise.withResolvers<{ readonly fault?: unknown }>();
  // A second signal ends the process at once.
  process.once('SIGINT', () => stop.resolve({}));
  process.once('SIGTERM', () => stop.resolve({}));
  try {
    await startEmbedded(config, log, opened, (fault) => stop.resolve({ fault }));
    const { fault } = await stop.promise;
    if (fault !== undefined) throw fault;
    log.info('stopping');
  } finally {
    await opened.close();
  }
  log.info('stopped');
}

const program = new Command('cloud')
  .description('Takes readings of scales from edge agents, accounts for consumption, serves both.')
  .requiredOption('--config <file>', 'configuration (YAML); see cloud/cloud.example.yaml')
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Failure || error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
