import type { Benchmark } from '../../bench/benchmark.ts';
import { DAY_MS } from '#shared/units.ts';
import { Api } from '../../demo/src/api.ts';
import { CloudProcess } from '../test/cloud-process.ts';
import { PIECE_MG, TARE_MG, agentName, binName, connectAgent, payloadsOf } from './load.ts';

type Option = 'agents' | 'bins' | 'batches' | 'warmup' | 'readings';
type Figure = 'readings_per_s' | 'p50_ms' | 'p99_ms' | 'rss_mb';

/** The oldest reading; the newest must not lie in the future. */
const HISTORY_MS = 300 * DAY_MS;

/** The cloud as its users run it, in a process and folder of its own. */
class BenchedCloud {
  readonly #process: CloudProcess;
  readonly api: Api;

  private constructor(process: CloudProcess, key: string) {
    this.#process = process;
    this.api = new Api(process.url, key);
  }

  static async start(): Promise<BenchedCloud> {
    const process = await CloudProcess.create();
    await process.start();
    return new BenchedCloud(process, await process.firstKey());
  }

  get broker(): string {
    return this.#process.brokerUrl;
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.#process.url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric ${name}`);
    return Number(line.slice(name.length + 1));
  }

  async remove(): Promise<void> {
    await this.#process.remove();
  }
}

async function enrol(cloud: BenchedCloud, agents: number, bins: number): Promise<string[]> {
  const product = { id: 'screw', name: 'Screw', unit: 'piece', pieceMassMg: PIECE_MG };
  await cloud.api.create('/products', product);
  await cloud.api.create('/customers', { id: 'acme', name: 'Acme' });
  const secrets: string[] = [];
  for (let agent = 0; agent < agents; agent += 1) {
    const siteId = `site-${agent}`;
    const site = { id: siteId, name: siteId, customerId: 'acme', timeZone: 'UTC' };
    await cloud.api.create('/sites', site);
    const enrolled = { id: agentName(agent), siteId };
    const { secret } = await cloud.api.create<{ secret: string }>('/agents', enrolled);
    secrets.push(secret);
    for (let bin = 0; bin < bins; bin += 1) {
      const id = binName(agent, bin);
      const setup = { productId: product.id, tareMg: TARE_MG, capacityMg: 6_000_000 };
      await cloud.api.create('/bins', { id, name: id, siteId, ...setup });
    }
  }
  return secrets;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export const bench: Benchmark<Option, Figure> = {
  name: 'ingest',
  describe:
    'The embedded cloud takes the backlog of many agents, a reading a bin and minute with picks: ' +
    'MQTT, SQLite, fold, ledger, receipt; the agents are one other process of the same machine',
  options: {
    agents: { default: 20, small: 2, describe: 'agents that send at once' },
    bins: { default: 10, small: 2, describe: 'bins of each agent' },
    batches: { default: 300, small: 5, describe: 'batches that each agent sends' },
    warmup: { default: 30, small: 1, describe: 'of these, the first ones that are not measured' },
    readings: { default: 100, small: 100, describe: 'readings in a batch' },
  },
  figures: {
    readings_per_s: 'readings stored, folded, committed and receipted per second',
    p50_ms: 'from publishing a batch to its receipt, half of them',
    p99_ms: 'the same, 99 of 100',
    rss_mb: "the cloud's resident memory after it",
  },
  async run({ agents, bins, batches, warmup, readings: readingsPerBatch }) {
    const cloud = await BenchedCloud.start();
    try {
      const secrets = await enrol(cloud, agents, bins);
      const from = Date.now() - HISTORY_MS;
      const loads = await Promise.all(
        secrets.map((secret, agent) => {
          const payloads = payloadsOf({ agent, bins, batches, readingsPerBatch, from });
          return connectAgent(cloud.broker, { agent, secret }, payloads);
        }),
      );
      await Promise.all(loads.map((load) => load.run(warmup)));
      const began = performance.now();
      const times = (await Promise.all(loads.map((load) => load.run(batches)))).flat();
      const seconds = (performance.now() - began) / 1_000;
      const rssBytes = await cloud.metric('process_resident_memory_bytes');
      await Promise.all(loads.map((load) => load.close()));
      times.sort((a, b) => a - b);
      return {
        readings_per_s: Math.round((times.length * readingsPerBatch) / seconds),
        p50_ms: Math.round(percentile(times, 0.5)),
        p99_ms: Math.round(percentile(times, 0.99)),
        rss_mb: Math.round(rssBytes / 1_048_576),
      };
    } finally {
      await cloud.remove();
    }
  },
};
