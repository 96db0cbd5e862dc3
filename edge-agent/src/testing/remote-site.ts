import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { onTestFinished, vi } from 'vitest';
import { agentId } from '#shared/ids.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { reportedConfigSchema, type ReportedConfig } from '#shared/wire/config.ts';
import { topicOf } from '#shared/wire/topics.ts';
import { startAgent, type Running } from '../agent.ts';
import { readConfigFile } from '../configuration/config.ts';
import { aedesBroker, type TestBroker } from './brokers.ts';
import { CloudPeer } from './cloud-peer.ts';
import { freshFolder } from './folder.ts';
import { tcpDevice } from './tcp-device.ts';

export const NORTH = agentId('acme-north');

/** What a balance answers: 100 g. */
export const WEIGHT = 'S S     100.00 g\r\n';

/** A balance that answers each question with 100 g, until it is told to be silent. */
interface Balance {
  readonly address: string;
  readonly sockets: readonly Socket[];
  /** Questions so far. */
  asked: number;
  isSilent: boolean;
  /** Called with every question, before it is answered. */
  onAsked: () => void;
}

export async function balance(): Promise<Balance> {
  const device: Balance = {
    asked: 0,
    isSilent: false,
    onAsked: () => {},
    ...(await tcpDevice((_, socket) => {
      device.asked += 1;
      device.onAsked();
      if (!device.isSilent) socket.write(WEIGHT);
    })),
  };
  return device;
}

/** The link of a balance, as it stands in a configuration; its bin is named like it. */
export const linkTo = (name: string, address: string, change: object = {}): object => ({
  name,
  protocol: 'mt-sics',
  address,
  tare: 'locked',
  timeoutMs: 5_000,
  scales: [{ bin: name, divisionMg: 10, pollMs: 50 }],
  ...change,
});

/** The cloud's end of `config` and `config/reported`. */
export class Desk {
  /** What the agent reported, in order. */
  readonly reports: ReportedConfig[] = [];
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (_, payload) => {
      this.reports.push(reportedConfigSchema.parse(JSON.parse(payload.toString())));
    });
  }

  static async at(url: string): Promise<Desk> {
    const client = await connectAsync(url, { clientId: 'desk', reconnectPeriod: 20 });
    onTestFinished(() => client.endAsync(true));
    const desk = new Desk(client);
    await client.subscribeAsync(topicOf(NORTH, 'config/reported'), { qos: 1 });
    return desk;
  }

  async want(version: number, config: object): Promise<void> {
    await this.send(JSON.stringify({ version, config }));
  }

  async send(payload: string): Promise<void> {
    await this.#client.publishAsync(topicOf(NORTH, 'config'), payload, { qos: 1, retain: true });
  }

  /** Settles with the newest report, once it says this of this version. */
  async told(version: number, state: ReportedConfig['state']): Promise<ReportedConfig> {
    return await vi.waitFor(() => {
      const newest = this.reports.at(-1);
      if (newest?.version === version && newest.state === state) return newest;
      throw new Error(`not told of ${version} ${state}, but ${JSON.stringify(this.reports)}`);
    }, WAIT);
  }
}

interface KeptVersions {
  readonly applied: { readonly version: number } | null;
  readonly trial: { readonly version: number } | null;
}

interface RemoteSite {
  readonly broker: TestBroker;
  readonly desk: Desk;
  readonly peer: CloudPeer;
  /** The scale of link `one`, the only one of the local file. */
  readonly one: Balance;
  readonly file: string;
  readonly dataDir: string;
  /** Changes sections of the local file. */
  readonly edit: (sections: object) => void;
  /** What is kept of the versions; null before the first. */
  readonly kept: () => KeptVersions | null;
}

/** A site with a broker, the cloud behind it, one scale, and an agent that is not started yet. */
export async function remoteSite(
  options: { readonly start?: () => Promise<TestBroker>; readonly trialS?: number } = {},
): Promise<RemoteSite> {
  const broker = await (options.start ?? aedesBroker)();
  onTestFinished(() => broker.stop());
  const desk = await Desk.at(broker.url);
  const peer = await CloudPeer.at(broker.url, NORTH);
  onTestFinished(() => peer.close());
  const one = await balance();
  const folder = freshFolder();
  const file = join(folder, 'agent.yaml');
  const dataDir = join(folder, 'data');
  let local: object = {
    agent: { id: NORTH, secret: 's' },
    broker: broker.url,
    dataDir: 'data',
    log: 'silent',
    report: { heartbeatS: 1, minSamples: 2 },
    remote: { trialS: options.trialS ?? 600 },
    links: [linkTo('one', one.address)],
  };
  const edit = (sections: object): void => {
    local = { ...local, ...sections };
    writeFileSync(file, JSON.stringify(local));
  };
  edit({});
  const versions = join(dataDir, 'remote-config.json');
  const kept: RemoteSite['kept'] = () => {
    if (!existsSync(versions)) return null;
    const content = JSON.parse(readFileSync(versions, 'utf8')) as { versions: KeptVersions };
    return content.versions;
  };
  return { broker, desk, peer, one, file, dataDir, edit, kept };
}

/** Starts the agent in this process. */
export function startAt(file: string): Running {
  const running = startAgent(readConfigFile(file), {
    version: '1.2.3',
    pid: process.pid,
    notifySocket: undefined,
    onFatal: (error) => {
      throw error;
    },
  });
  onTestFinished(() => running.stop());
  return running;
}

/** Settles when this many more good readings of the bin have come. */
export async function moreReadings(peer: CloudPeer, bin: string, count = 1): Promise<void> {
  const good = (): number =>
    peer.readings.filter((reading) => reading.bin === bin && reading.quality === 'good').length;
  const before = good();
  await vi.waitFor(() => {
    if (good() < before + count) throw new Error(`${good() - before} more readings of ${bin}`);
  }, WAIT);
}
