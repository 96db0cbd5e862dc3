import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { systemClock } from '#shared/clock.ts';
import { agentId, binId, customerId, productId, siteId, type AgentId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#shared/units.ts';
import { openTestDatabase } from '../../../test/database.ts';
import type { Database } from '../../database/database.ts';
import { createAgent } from '../../identity/agents.ts';
import { createKey, type Role } from '../../identity/keys.ts';
import { createChanges, type Changes } from '../../ingest/changes.ts';
import { createIngestMetrics } from '../../ingest/metrics.ts';
import { createWorker } from '../../ingest/worker.ts';
import { openSqliteReadings } from '../../readings/sqlite.ts';
import type { ReadingsStore } from '../../readings/store.ts';
import { createBin } from '../../stock/bins.ts';
import { createCustomer } from '../../stock/customers.ts';
import { createProduct } from '../../stock/products.ts';
import { createSite } from '../../stock/sites.ts';
import { createApi, type ApiDeps } from '../api.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, where it is JSON. */
  readonly body: unknown;
}

export interface Served {
  readonly url: string;
  readonly app: FastifyInstance;
  readonly database: Database;
  readonly readings: ReadingsStore;
  readonly changes: Changes;
  /** Agents of which a new version of their configuration was told, in order. */
  readonly configured: readonly AgentId[];
  readonly keys: Readonly<Record<Role | 'beta', string>>;
  /** Agents whose sessions were ended, in order. */
  readonly ended: readonly AgentId[];
  /** @param key `null` for none; default: the supplier's */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  /** In place of `body`. */
  readonly raw?: string;
  readonly headers?: Record<string, string>;
}

/** The API over real HTTP, with real stores: acme with one bin, beta with one, and a depot. */
export async function serve(options: Partial<ApiDeps> = {}): Promise<Served> {
  const { database, folder, close } = await openTestDatabase();
  const readings = openSqliteReadings(join(folder, 'readings.sqlite'));
  const terminals = await mkdtemp(join(tmpdir(), 'offtake-terminals-'));
  const changes = createChanges();
  const metrics = new Registry();
  const log = createLog('test', 'silent');
  const clock = systemClock;
  const ledger = createWorker({
    db: database,
    readings,
    changes,
    metrics: createIngestMetrics(metrics),
    clock,
    log,
    sendReceipt: () => {},
  });
  const configured: AgentId[] = [];
  const onConfiguration = (agent: AgentId) => configured.push(agent);
  const ended: AgentId[] = [];
  const endSession = (agent: AgentId) => ended.push(agent);
  const core = { database, readings, clock, log, metrics, changes };
  const stores = { ...core, ledger, terminals, endSession, fault: () => null };
  await populate(database, readings);
  const keys = {
    supplier: await keyOf(database, 'supplier'),
    technician: await keyOf(database, 'technician'),
    customer: await keyOf(database, 'customer', 'acme'),
    beta: await keyOf(database, 'customer', 'beta'),
  };
  const app = await createApi({ ...stores, onConfiguration, ...options });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    app,
    database,
    readings,
    changes,
    configured,
    keys,
    ended,
    ask: (method, path, asked = {}) => ask(`${url}${path}`, method, keys.supplier, asked),
    async close() {
      await app.close();
      await ledger.close();
      await readings.close();
      await close();
      await rm(terminals, { recursive: true });
    },
  };
}

async function ask(
  url: string,
  method: string,
  supplier: string,
  { key = supplier, body, raw, headers }: AskOptions,
): Promise<Answer> {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(sent !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(sent !== undefined && { body: sent }),
  });
  const text = await response.text();
  const json = text !== '' && response.headers.get('content-type')?.includes('json') === true;
  const parsed: unknown = json ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, body: parsed };
}

async function keyOf(database: Database, role: Role, customer?: string): Promise<string> {
  const owner = customer === undefined ? null : customerId(customer);
  const wanted = { name: `${role} ${customer ?? ''}`, role, customerId: owner };
  return valueOf(await createKey(database.sql, wanted, Date.now())).key;
}

function valueOf<T>(outcome: { ok: true; value: T } | { ok: false; reason: string }): T {
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.value;
}

/** Every name of a customer's thing begins with its id, so that a leak is seen in any text. */
async function populate(database: Database, readings: ReadingsStore): Promise<void> {
  const { sql } = database;
  const now = Date.now();
  const screw = {
    id: productId('screw'),
    name: 'Screw',
    unit: 'piece',
    pieceMassMg: 2_000,
  } as const;
  valueOf(await createProduct(sql, screw));
  for (const owner of ['acme', 'beta', null]) {
    const place = owner ?? 'depot';
    const customer = owner === null ? null : customerId(owner);
    if (customer !== null) valueOf(await createCustomer(sql, { id: customer, name: place }));
    const site = siteId(`${place}-hall`);
    const zone = { name: `${place} hall`, timeZone: 'Europe/Berlin' };
    valueOf(await createSite(sql, { id: site, customerId: customer, ...zone }));
    const bin = {
      id: binId(`${place}-bin`),
      name: `${place} bin`,
      siteId: site,
      capacityMg: 6_000_000,
      productId: screw.id,
      tareMg: 100_000,
      since: now - 30 * DAY_MS,
    };
    valueOf(await database.transaction((tx) => createBin(tx, bin, now)));
    valueOf(await createAgent(sql, { id: agentId(`${place}-agent`), siteId: site }, now));
    await record(database, readings, `${place}-bin`, now);
  }
}

/** An hour of history: 100 pieces put in and 3 taken, after two stretches without a scale. */
async function record(
  database: Database,
  readings: ReadingsStore,
  bin: string,
  now: number,
): Promise<void> {
  const at = now - HOUR_MS;
  const row = { bin_id: binId(bin), product_id: productId('screw'), revision: 1 };
  const sure = { confidence_ppm: 1_000_000, superseded_ms: null };
  await database.sql
    .insertInto('movement')
    .values([
      {
        ...row,
        ...sure,
        ordinal: 1,
        from_ms: at,
        at_ms: at + 1,
        kind: 'refill',
        quantity: 100,
        low: 100,
        high: 100,
        mass_mg: 200_000,
        closing: 100,
      },
      {
        ...row,
        ...sure,
        ordinal: 2,
        from_ms: at + 1,
        at_ms: at + 2,
        kind: 'consumption',
        quantity: -3,
        low: -3,
        high: -3,
        mass_mg: -6_000,
        closing: 97,
      },
    ])
    .execute();
  await database.sql
    .insertInto('gap')
    .values(
      [2, 1].map((hours) => ({
        bin_id: row.bin_id,
        from_ms: at - hours * HOUR_MS,
        to_ms: at - hours * HOUR_MS + 1,
        count: 0,
        why: 'not-measured' as const,
      })),
    )
    .execute();
  await database.sql
    .insertInto('rollup')
    .values({
      bin_id: row.bin_id,
      bucket_ms: at - (at % (15 * MINUTE_MS)),
      product_id: row.product_id,
      consumed: 3,
      refilled: 100,
      unexplained: 0,
      adjusted: 0,
      exposure_ms: 15 * MINUTE_MS,
      closing: 97,
    })
    .execute();
  await database.sql
    .insertInto('bin_stock')
    .values({
      bin_id: row.bin_id,
      product_id: row.product_id,
      at_ms: at,
      quantity: 97,
      mass_mg: 194_000,
      quality: 'good',
    })
    .execute();
  await readings.append(
    [0, 1, 2].map((n) => ({
      bin: row.bin_id,
      at: now - (3 - n) * MINUTE_MS,
      value: 294_000,
      unit: 'mg' as const,
      samples: 10,
      spread: 20,
      quality: 'good' as const,
      synced: true,
    })),
  );
}
