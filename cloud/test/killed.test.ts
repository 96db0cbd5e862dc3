import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DAY_MS } from '#shared/units.ts';
import { receiptSchema } from '#shared/wire/receipt.ts';
import { topicOf } from '#shared/wire/topics.ts';
import { Api } from '../../demo/src/api.ts';
import { PIECE_MG, TARE_MG, agentName, binName, payloadsOf } from '../bench/load.ts';
import { CloudProcess } from './cloud-process.ts';

const BINS = 4;
const BATCHES = 240;
const PER_BATCH = 50;
const WINDOW = 16;
/** After so many receipted batches the cloud is killed, each time. */
const KILLS = [10, 60, 130, 200];

let cloud: CloudProcess;
let api: Api;

beforeAll(async () => {
  cloud = await CloudProcess.create();
  await cloud.start();
  api = new Api(cloud.url, await cloud.firstKey());
});
afterAll(() => cloud.remove());

/** Sends what has no receipt, all of it again after each reconnect: go-back-N. */
class Sender {
  readonly #client: MqttClient;
  readonly #payloads: readonly Buffer[];
  #receipted = 0;
  #sent = 0;
  #waiting: { readonly upTo: number; readonly resolve: () => void } | undefined;

  constructor(secret: string, payloads: readonly Buffer[]) {
    const id = agentName(0);
    this.#payloads = payloads;
    this.#client = mqtt.connect(cloud.brokerUrl, {
      clientId: id,
      username: id,
      password: secret,
      reconnectPeriod: 50,
    });
    this.#client.on('connect', () => {
      this.#client.subscribe(topicOf(id, 'receipt'), { qos: 1 }, () => {
        this.#sent = this.#receipted;
        this.#send();
      });
    });
    // Refused connections while the cloud is down are what this test is about.
    this.#client.on('error', () => undefined);
    this.#client.on('message', (_, payload) => {
      const { upTo } = receiptSchema.parse(JSON.parse(payload.toString()));
      this.#receipted = Math.max(this.#receipted, upTo);
      if (this.#waiting !== undefined && this.#receipted >= this.#waiting.upTo) {
        this.#waiting.resolve();
      }
      this.#send();
    });
  }

  #send(): void {
    this.#sent = Math.max(this.#sent, this.#receipted);
    while (this.#client.connected && this.#sent < this.#receipted + WINDOW) {
      const payload = this.#payloads[this.#sent];
      if (payload === undefined) return;
      this.#sent += 1;
      this.#client.publish(topicOf(agentName(0), 'readings'), payload, { qos: 0 });
    }
  }

  receipted(upTo: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { upTo, resolve };
      if (this.#receipted >= upTo) resolve();
    });
  }

  async leave(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

test('a cloud killed again and again amid its work loses nothing and counts nothing twice', async () => {
  await api.create('/products', {
    id: 'screw',
    name: 'Screw',
    unit: 'piece',
    pieceMassMg: PIECE_MG,
  });
  await api.create('/sites', { id: 'hall', name: 'Hall', customerId: null, timeZone: 'UTC' });
  const agent = { id: agentName(0), siteId: 'hall' };
  const { secret } = await api.create<{ secret: string }>('/agents', agent);
  const bins = Array.from({ length: BINS }, (_, bin) => binName(0, bin));
  for (const id of bins) {
    const setup = { productId: 'screw', tareMg: TARE_MG, capacityMg: 6_000_000 };
    await api.create('/bins', { id, name: id, siteId: 'hall', ...setup });
  }
  const payloads = payloadsOf({
    agent: 0,
    bins: BINS,
    batches: BATCHES,
    readingsPerBatch: PER_BATCH,
    from: Date.now() - 30 * DAY_MS,
  });
  const sender = new Sender(secret, payloads);
  for (const upTo of KILLS) {
    await sender.receipted(upTo);
    await cloud.kill();
    await cloud.start();
  }
  await sender.receipted(BATCHES);
  await sender.leave();

  for (const bin of bins) {
    const stored = await api.list(`/bins/${bin}/readings`);
    expect(stored).toHaveLength((BATCHES * PER_BATCH) / BINS);
    const compared = await api.create<{ equal: boolean; movements: number }>(
      `/bins/${bin}/recompute`,
      {},
    );
    expect(compared).toMatchObject({ equal: true });
    expect(compared.movements).toBeGreaterThan(10);
  }
  const metrics = await (await fetch(`${cloud.url}/metrics`)).text();
  expect(metrics).toMatch(/^offtake_ingest_restatements_total 0$/m);
});
