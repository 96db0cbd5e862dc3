import mqtt from 'mqtt';
import { agentId, binId, epoch, type AgentId, type BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import { MINUTE_MS } from '#shared/units.ts';
import { encodeBatch } from '#shared/wire/batch.ts';
import { receiptSchema } from '#shared/wire/receipt.ts';
import { topicOf } from '#shared/wire/topics.ts';

/** Pieces of 2 g in a box of 100 g: what the bench's bins are set up for. */
export const PIECE_MG = 2_000;
export const TARE_MG = 100_000;
/** One reading a bin and minute, as a recording or a short heartbeat gives them. */
const INTERVAL_MS = MINUTE_MS;
/** Of 100 readings, about so many begin a new level: some 40 picks a day and bin. */
const PICKS_PERCENT = 3;

export const agentName = (agent: number): AgentId => agentId(`bench-${agent}`);
export const binName = (agent: number, bin: number): BinId => binId(`bench-${agent}-${bin}`);

export interface AgentLoad {
  readonly agent: number;
  readonly bins: number;
  readonly batches: number;
  readonly readingsPerBatch: number;
  /** ms since 1970 UTC of the first reading */
  readonly from: number;
}

/**
 * The payloads of an agent's batches: each bin keeps a level with a scale's noise, from which
 * pieces are taken now and then, until it is refilled. Made beforehand, so that the publisher costs
 * the measured cloud as little as it can.
 */
export function payloadsOf({ agent, bins, batches, readingsPerBatch, from }: AgentLoad): Buffer[] {
  let random = (agent + 1) * 2_654_435_761;
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return (random >>> 8) % below;
  };
  const pieces = Array.from({ length: bins }, () => 500 + next(500));
  const payloads: Buffer[] = [];
  let row = 0;
  for (let seq = 1; seq <= batches; seq += 1) {
    const readings: Reading[] = [];
    for (let index = 0; index < readingsPerBatch; index += 1, row += 1) {
      const bin = row % bins;
      if (next(100) < PICKS_PERCENT) pieces[bin] = (pieces[bin] ?? 0) - 1 - next(8);
      if ((pieces[bin] ?? 0) < 50) pieces[bin] = (pieces[bin] ?? 0) + 900;
      readings.push({
        bin: binName(agent, bin),
        at: from + Math.floor(row / bins) * INTERVAL_MS,
        value: TARE_MG + (pieces[bin] ?? 0) * PIECE_MG + next(81) - 40,
        unit: 'mg',
        samples: 10,
        spread: 60 + next(20),
        quality: 'good',
        synced: true,
      });
    }
    const batch = { epoch: epoch('bench'), seq, oldest: 1, readings, gaps: [] };
    payloads.push(Buffer.from(encodeBatch(batch)));
  }
  return payloads;
}

/** An agent that sends its batches as fast as receipts let it. */
export interface LoadingAgent {
  /**
   * Sends on until its first `upTo` batches are receipted.
   * @returns milliseconds from publishing to receipt of each batch since the last run
   */
  run(upTo: number): Promise<number[]>;
  close(): Promise<void>;
}

/** Before the first receipt says how many: what agents begin with. */
const FIRST_WINDOW = 8;

export async function connectAgent(
  url: string,
  { agent, secret }: { readonly agent: number; readonly secret: string },
  payloads: readonly Buffer[],
): Promise<LoadingAgent> {
  const id = agentName(agent);
  const login = { clientId: id, username: id, password: secret };
  const client = await mqtt.connectAsync(url, { ...login, reconnectPeriod: 0 });
  await client.subscribeAsync(topicOf(id, 'receipt'), { qos: 1 });
  const sentMs: number[] = [];
  const tookMs: number[] = [];
  let window = FIRST_WINDOW;
  let upTo = 0;
  let running = Promise.withResolvers<void>();
  const send = (): void => {
    if (tookMs.length >= upTo) {
      running.resolve();
      return;
    }
    while (sentMs.length < upTo && sentMs.length - tookMs.length < window) {
      const payload = payloads[sentMs.length];
      if (payload === undefined) break;
      sentMs.push(performance.now());
      client.publish(topicOf(id, 'readings'), payload, { qos: 1 });
    }
  };
  client.on('error', (error) => running.reject(error));
  client.on('close', () => running.reject(new Error(`${id} lost its connection`)));
  client.on('message', (_, payload) => {
    const receipt = receiptSchema.parse(JSON.parse(payload.toString()));
    const [rejection] = receipt.rejected;
    if (rejection !== undefined) running.reject(new Error(`${id}: ${rejection.reason}`));
    window = receipt.window;
    const nowMs = performance.now();
    while (tookMs.length < receipt.upTo) tookMs.push(nowMs - (sentMs[tookMs.length] ?? nowMs));
    send();
  });
  return {
    async run(target) {
      const start = tookMs.length;
      running = Promise.withResolvers<void>();
      upTo = target;
      send();
      await running.promise;
      return tookMs.slice(start);
    },
    close: () => client.endAsync(),
  };
}
