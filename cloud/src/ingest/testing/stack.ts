import { join } from 'node:path';
import { Registry } from 'prom-client';
import { sql } from 'kysely';
import { systemClock } from '#shared/clock.ts';
import { agentId, binId, epoch, type AgentId, type BinId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { MINUTE_MS } from '#shared/units.ts';
import { encodeBatch, type Batch } from '#shared/wire/batch.ts';
import type { Receipt } from '#shared/wire/receipt.ts';
import type { Database } from '../../database/database.ts';
import { openTestDatabase } from '../../../test/database.ts';
import { openSqliteReadings } from '../../readings/sqlite.ts';
import type { ReadingsStore } from '../../readings/store.ts';
import { createChanges } from '../changes.ts';
import type { Message } from '../message.ts';
import { createIngestMetrics } from '../metrics.ts';
import { createWorker, type Worker } from '../worker.ts';

/** Real stores in a folder of their own, with a customer's site and a product. */
export interface Stack {
  readonly db: Database;
  readonly readings: ReadingsStore;
  close(): Promise<void>;
}

export const PIECE_MG = 2_000;
export const TARE_MG = 100_000;
/** Since when bins of the stack are set up. */
export const START = Math.floor(Date.now() / (15 * MINUTE_MS)) * 15 * MINUTE_MS - 30 * 86_400_000;

export async function openStack(): Promise<Stack> {
  const { database: db, folder, close } = await openTestDatabase();
  const readings = openSqliteReadings(join(folder, 'readings.sqlite'));
  await sql`insert into customer (id, name) values ('acme', 'Acme')`.execute(db.sql);
  await sql`insert into site (id, customer_id, name, time_zone)
    values ('hall', 'acme', 'Hall', 'UTC')`.execute(db.sql);
  await sql`insert into product (id, name, unit, piece_mass_mg)
    values ('screw', 'Screw', 'piece', ${PIECE_MG})`.execute(db.sql);
  return {
    db,
    readings,
    async close() {
      await readings.close();
      await close();
    },
  };
}

export async function addAgent(db: Database, id: string): Promise<AgentId> {
  await sql`insert into agent (id, site_id, secret_hash, created_ms)
    values (${id}, 'hall', 'x', 0)`.execute(db.sql);
  return agentId(id);
}

export async function addBin(db: Database, id: string): Promise<BinId> {
  await sql`insert into bin (id, site_id, name, capacity_mg)
    values (${id}, 'hall', ${id}, 6000000)`.execute(db.sql);
  await sql`insert into bin_setup (bin_id, from_ms, product_id, tare_mg, piece_mass_mg)
    values (${id}, ${START}, 'screw', ${TARE_MG}, ${PIECE_MG})`.execute(db.sql);
  return binId(id);
}

export interface TestWorker extends Worker {
  readonly receipts: { readonly agent: AgentId; readonly receipt: Receipt }[];
  newestReceipt(agent: AgentId): Receipt | undefined;
}

/** @param onAgents hears of which agents something changed */
export function startWorker(
  db: Database,
  readings: ReadingsStore,
  onAgents: (agents: readonly AgentId[]) => void = () => {},
): TestWorker {
  const changes = createChanges();
  changes.subscribe(({ agents }) => onAgents(agents));
  const receipts: { agent: AgentId; receipt: Receipt }[] = [];
  const worker = createWorker({
    db,
    readings,
    changes,
    metrics: createIngestMetrics(new Registry()),
    clock: systemClock,
    log: createLog('test', 'silent'),
    sendReceipt: (agent, receipt) => receipts.push({ agent, receipt }),
  });
  return {
    ...worker,
    receipts,
    newestReceipt: (agent) => receipts.findLast((sent) => sent.agent === agent)?.receipt,
  };
}

/** Fails each transaction at its very end, for real, with a PostgreSQL error of this class. */
export function failing(db: Database, sqlstate: () => string | undefined): Database {
  return {
    sql: db.sql,
    scoped: (scope, work) => db.scoped(scope, work),
    close: () => db.close(),
    transaction: (work) =>
      db.transaction(async (tx) => {
        const result = await work(tx);
        const code = sqlstate();
        if (code !== undefined) {
          await sql
            .raw(`do $$ begin raise exception 'no' using errcode = '${code}'; end $$`)
            .execute(tx);
        }
        return result;
      }),
  };
}

export function message(agent: AgentId, channel: Message['channel'], payload: string): Message {
  return {
    agent,
    channel,
    payload: new TextEncoder().encode(payload),
    receivedMs: systemClock.wallMs(),
  };
}

export function batchMessage(agent: AgentId, batch: Partial<Batch>): Message {
  const whole = { epoch: epoch('e1'), seq: 1, oldest: 1, readings: [], gaps: [], ...batch };
  return message(agent, 'readings', encodeBatch(whole));
}

/** A minute's reading of a bin with so many pieces in it. */
export function reading(bin: BinId, minute: number, pieces: number): Reading {
  return {
    bin,
    at: START + minute * MINUTE_MS,
    value: TARE_MG + pieces * PIECE_MG,
    unit: 'mg',
    samples: 10,
    spread: 40,
    quality: 'good',
    synced: true,
  };
}

/** `minutes` readings of a bin that someone takes pieces from now and then, and refills. */
export function shift(bin: BinId, minutes: number, seed = 1): Reading[] {
  const readings: Reading[] = [];
  let random = seed;
  let pieces = 400;
  for (let minute = 0; minute < minutes; minute += 1) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    if (random % 7 === 0) pieces -= 1 + ((random >>> 8) % 5);
    if (pieces < 50) pieces += 400;
    readings.push(reading(bin, minute, pieces));
  }
  return readings;
}
