import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { connectAsync } from 'mqtt';
import { agentId } from '#shared/ids.ts';
import { decodeBatch } from '#shared/wire/batch.ts';
import type { Receipt } from '#shared/wire/receipt.ts';
import { topicOf } from '#shared/wire/topics.ts';

/**
 * The other end for the benchmark `outbox`, a process of its own: a broker, and a client of it that
 * reads every batch in full, insists on its order and answers with receipts.
 * Says `port N` when it listens, and `readings N` when it has so many as its argument says.
 */
const [, , agent = '', expected = '0'] = process.argv;
const WINDOW = 32;

const aedes = await Aedes.createBroker();
const server = createServer((socket) => aedes.handle(socket)).listen(0, '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
const receiptTopic = topicOf(agentId(agent), 'receipt');
let upTo = 0;
let readings = 0;
let isOwed = false;

function receipt(epoch: Receipt['epoch']): void {
  isOwed = false;
  const said: Receipt = { epoch, upTo, window: WINDOW, rejected: [] };
  client.publish(receiptTopic, JSON.stringify(said), { qos: 1 });
}

client.on('message', (_, payload) => {
  const decoded = decodeBatch(payload);
  if (!decoded.ok || decoded.rejected.length > 0) throw new Error('a batch cannot be read');
  const { batch } = decoded;
  if (batch.seq !== upTo + 1) return;
  upTo = batch.seq;
  readings += batch.readings.length;
  // One receipt for all batches that came together, as the cloud does.
  if (!isOwed) setImmediate(() => receipt(batch.epoch));
  isOwed = true;
  if (readings === Number(expected)) process.stdout.write(`readings ${readings}\n`);
});
await client.subscribeAsync(topicOf(agentId(agent), 'readings'), { qos: 1 });
process.stdout.write(`port ${port}\n`);
