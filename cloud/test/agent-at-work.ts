import mqtt, { type MqttClient } from 'mqtt';
import { binId, epoch, agentId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import { encodeBatch } from '#shared/wire/batch.ts';
import type { ReportedConfig } from '#shared/wire/config.ts';
import { receiptSchema } from '#shared/wire/receipt.ts';
import type { Status } from '#shared/wire/status.ts';
import { topicOf } from '#shared/wire/topics.ts';

/** Speaks the wire contract as an agent does, with readings of the test's choice. */
export class AgentAtWork {
  readonly #client: MqttClient;
  readonly #id: string;
  readonly #epoch = epoch('terminals-test');
  #seq = 0;

  private constructor(client: MqttClient, id: string) {
    this.#client = client;
    this.#id = id;
  }

  static async connect(brokerUrl: string, id: string, secret: string): Promise<AgentAtWork> {
    const client = await mqtt.connectAsync(brokerUrl, {
      clientId: id,
      username: id,
      password: secret,
      reconnectPeriod: 200,
    });
    await client.subscribeAsync(topicOf(agentId(id), 'receipt'), { qos: 1 });
    return new AgentAtWork(client, id);
  }

  async report(status: Omit<Status, 'online' | 'session' | 'at'>): Promise<void> {
    const birth: Status = { online: true, session: 's1', at: Date.now(), ...status };
    await this.#client.publishAsync(topicOf(agentId(this.#id), 'status'), JSON.stringify(birth), {
      qos: 1,
      retain: true,
    });
  }

  /** Says what became of a configuration. */
  async say(report: Omit<ReportedConfig, 'at'>): Promise<void> {
    const topic = topicOf(agentId(this.#id), 'config/reported');
    const payload = JSON.stringify({ ...report, at: Date.now() } satisfies ReportedConfig);
    await this.#client.publishAsync(topic, payload, { qos: 1, retain: true });
  }

  /** Sends a batch and waits until it is receipted: stored and folded. */
  async send(readings: readonly Reading[]): Promise<void> {
    this.#seq += 1;
    const seq = this.#seq;
    const receipted = this.#receiptOf(seq);
    const batch = { epoch: this.#epoch, seq, oldest: seq, readings, gaps: [] };
    await this.#client.publishAsync(topicOf(agentId(this.#id), 'readings'), encodeBatch(batch), {
      qos: 1,
    });
    await receipted;
  }

  #receiptOf(seq: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const listen = (_topic: string, payload: Buffer) => {
        const receipt = receiptSchema.parse(JSON.parse(payload.toString()));
        const refused = receipt.rejected.length > 0;
        if (!refused && (receipt.epoch !== this.#epoch || receipt.upTo < seq)) return;
        this.#client.off('message', listen);
        if (refused) reject(new Error(JSON.stringify(receipt.rejected)));
        else resolve();
      };
      this.#client.on('message', listen);
    });
  }

  async leave(): Promise<void> {
    await this.#client.endAsync(true);
  }
}

/** A settled reading of a scale that weighs to the gram. */
export function settled(bin: string, at: number, massMg: number): Reading {
  return {
    bin: binId(bin),
    at,
    value: massMg,
    unit: 'mg',
    samples: 20,
    spread: 40,
    quality: 'good',
    synced: true,
  };
}
