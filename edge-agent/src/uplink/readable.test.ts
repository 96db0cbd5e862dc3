import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { agentId, epoch } from '#shared/ids.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { encodeBatch, packBatch, type Batch } from '#shared/wire/batch.ts';
import { topicOf } from '#shared/wire/topics.ts';
import { mosquittoBroker } from '../testing/brokers.ts';
import { entries } from '../testing/entries.ts';

const WIRE = join(import.meta.dirname, '../../../docs/wire.md');

/** The command of docs/wire.md that a person reads readings with. */
function documentedCommand(): string {
  const command = /^mosquitto_sub .*\/readings.*$/m.exec(readFileSync(WIRE, 'utf8'))?.[0];
  if (command === undefined) throw new Error('docs/wire.md names no command');
  return command;
}

const batch = (seq: number, readings: number): Batch => ({
  epoch: epoch('k3f9'),
  seq,
  oldest: 1,
  readings: entries(1, readings).map(({ reading }) => reading),
  gaps: [],
});

const programs = ['mosquitto', 'mosquitto_sub', 'xxd', 'gzip'].map((name) => requireProgram(name));

test.runIf(programs.every(Boolean))(
  'the documented command shows readings to a person, compressed or not',
  async () => {
    const broker = await mosquittoBroker();
    onTestFinished(() => broker.stop());
    const { port } = new URL(broker.url);
    // In a process group of its own, which ends with the test.
    const watching = spawn('sh', ['-c', documentedCommand().replace('-p 1883', `-p ${port}`)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const exited = once(watching, 'exit');
    onTestFinished(async () => {
      if (watching.pid !== undefined) process.kill(-watching.pid, 'SIGKILL');
      await exited;
    });
    let seen = '';
    watching.stdout.on('data', (text: Buffer) => {
      seen += text.toString();
    });
    const client = await connectAsync(broker.url, { clientId: 'acme-north' });
    onTestFinished(() => client.endAsync(true));
    const [small, large] = [batch(1, 1), batch(2, 100)];
    const payloads = [small, large].map((each) => Buffer.from(packBatch(each)));
    expect(payloads.map((payload) => payload[0])).toEqual([0x7b, 0x1f]);
    const topic = topicOf(agentId('acme-north'), 'readings');
    // Again and again, since nobody says when mosquitto_sub has subscribed.
    await vi.waitFor(
      async () => {
        for (const payload of payloads) await client.publishAsync(topic, payload, { qos: 1 });
        const lines = seen.split('\n');
        expect(lines).toContain(encodeBatch(small));
        expect(lines).toContain(encodeBatch(large));
      },
      { ...WAIT, interval: 200 },
    );
  },
);
