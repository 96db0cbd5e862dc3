import { connectAsync, type MqttClient } from 'mqtt';
import type { AgentId, Epoch } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import { decodeBatch, type Batch } from '#shared/wire/batch.ts';
import { MAX_AHEAD_MS, type Receipt } from '#shared/wire/receipt.ts';
import { statusSchema, type Status } from '#shared/wire/status.ts';
import { topicOf } from '#shared/wire/topics.ts';

/** What the peer does with a batch in its turn. */
export type Manner = 'receipt' | 'fold silently' | 'lose';

/** The other end of the wire for tests: admits batches in order, as the cloud does. */
export class CloudPeer {
  readonly #client: MqttClient;
  readonly #agent: AgentId;
  /** Every batch that arrived, in order, again and again where it was sent again. */
  readonly arrived: Batch[] = [];
  /** Each batch in its turn, once. */
  readonly folded: Batch[] = [];
  readonly statuses: Status[] = [];
  readonly live: unknown[] = [];
  manner: (batch: Batch) => Manner = () => 'receipt';
  window = 8;
  /** The cloud's time: readings further ahead are refused; null for a cloud that takes everything. */
  nowMs: (() => number) | null = null;
  #epoch: Epoch | null = null;
  #upTo = 0;

  private constructor(client: MqttClient, agent: AgentId) {
    this.#client = client;
    this.#agent = agent;
    client.on('message', (topic, payload) => {
      if (topic.endsWith('/readings')) this.#take(payload);
      else if (topic.endsWith('/status')) {
        this.statuses.push(statusSchema.parse(JSON.parse(payload.toString())));
      } else if (topic.endsWith('/live')) this.live.push(JSON.parse(payload.toString()));
    });
  }

  static async at(url: string, agent: AgentId): Promise<CloudPeer> {
    const client = await connectAsync(url, { clientId: 'cloud-peer', reconnectPeriod: 20 });
    const peer = new CloudPeer(client, agent);
    const topics = (['readings', 'status', 'live'] as const).map((name) => topicOf(agent, name));
    await client.subscribeAsync(topics, { qos: 1 });
    return peer;
  }

  get readings(): Reading[] {
    return this.folded.flatMap(({ readings }) => readings);
  }

  get upTo(): number {
    return this.#upTo;
  }

  receipt(change: Partial<Receipt> = {}): void {
    if (this.#epoch === null) return;
    const receipt: Receipt = {
      epoch: this.#epoch,
      upTo: this.#upTo,
      window: this.window,
      rejected: [],
      ...change,
    };
    this.raw(JSON.stringify(receipt));
  }

  raw(payload: string): void {
    this.#client.publish(topicOf(this.#agent, 'receipt'), payload, { qos: 1 });
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #take(payload: Uint8Array): void {
    const decoded = decodeBatch(payload);
    if (!decoded.ok) throw new Error(decoded.reason);
    const { batch } = decoded;
    if (decoded.rejected.length > 0) throw new Error(decoded.rejected[0]?.reason);
    this.arrived.push(batch);
    if (batch.epoch !== this.#epoch) {
      this.#epoch = batch.epoch;
      this.#upTo = batch.oldest - 1;
    }
    const manner = this.manner(batch);
    if (manner === 'lose') return;
    const now = this.nowMs?.();
    const ahead = batch.readings.flatMap(({ at }, index) =>
      now !== undefined && at > now + MAX_AHEAD_MS ? [index] : [],
    );
    if (batch.seq === this.#upTo + 1) {
      this.#upTo = batch.seq;
      const readings = batch.readings.filter((_, index) => !ahead.includes(index));
      this.folded.push({ ...batch, readings });
    }
    const rejected = ahead.map((index) => ({ seq: batch.seq, index, reason: 'at: ahead' }));
    if (manner === 'receipt') this.receipt({ rejected, now });
  }
}
