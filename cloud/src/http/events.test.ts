import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentId, binId } from '#shared/ids.ts';
import { serve, type Served } from './testing/served.ts';

let api: Served;
beforeAll(async () => {
  api = await serve({ eventTimes: { gatherMs: 5, heartbeatMs: 50 } });
});
afterAll(() => api.close());

interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly comment?: string;
}

/** An open stream; `next` waits for a message that is wanted, passing over others. */
async function open(key: string, headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${api.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${key}`, ...headers },
    signal: stop.signal,
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const seen: Message[] = [];
  const read = async (): Promise<Message | undefined> => {
    while (!text.includes('\n\n')) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) return undefined;
      text += piece.value;
    }
    const end = text.indexOf('\n\n');
    const lines = text.slice(0, end).split('\n');
    text = text.slice(end + 2);
    const fields = lines.map((line) => /^(\w*): (.*)$/.exec(line)?.slice(1) ?? []);
    const message = Object.fromEntries(
      fields.map(([name, value]) => [name === '' ? 'comment' : name, value]),
    ) as Message;
    seen.push(message);
    return message;
  };
  const next = async (wanted: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const message = await read();
      if (message === undefined) throw new Error('the stream ended');
      if (wanted(message)) return message;
    }
  };
  return { response, next, read, seen, close: () => stop.abort() };
}

const isStock = ({ event }: Message) => event === 'stock';
const stockOf = ({ data = '{}' }: Message) => JSON.parse(data) as { binId: string };
const changed = (...bins: string[]) => api.changes.publish({ bins: bins.map(binId), agents: [] });

test('what changes is told with its newest state', async () => {
  const stream = await open(api.keys.supplier);
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(stream.response.headers.get('cache-control')).toBe('no-store');
  changed('acme-bin');
  const message = await stream.next(isStock);
  expect(stockOf(message)).toMatchObject({ binId: 'acme-bin', quantity: 97, health: 'ok' });
  api.changes.publish({ bins: [], agents: [agentId('acme-agent')] });
  const agent = await stream.next(({ event }) => event === 'agent');
  expect(JSON.parse(agent.data ?? '')).toMatchObject({ id: 'acme-agent', online: false });
  stream.close();
});

test('a customer is told of its own stock alone', async () => {
  const [acme, beta] = [await open(api.keys.customer), await open(api.keys.beta)];
  api.changes.publish({
    bins: ['beta-bin', 'depot-bin', 'acme-bin'].map(binId),
    agents: [agentId('acme-agent')],
  });
  expect(stockOf(await acme.next(isStock)).binId).toBe('acme-bin');
  expect(stockOf(await beta.next(isStock)).binId).toBe('beta-bin');
  // Whatever else was told of this change would have come before the next.
  changed('acme-bin', 'beta-bin');
  await acme.next(isStock);
  await beta.next(isStock);
  const told = [...acme.seen, ...beta.seen].filter(({ event }) => event !== undefined);
  expect(told.map((message) => stockOf(message).binId).sort()).toEqual([
    'acme-bin',
    'acme-bin',
    'beta-bin',
    'beta-bin',
  ]);
  for (const stream of [acme, beta]) stream.close();
});

test('who was away is told what it missed, once each', async () => {
  const first = await open(api.keys.supplier);
  changed('acme-bin');
  const { id } = await first.next(isStock);
  first.close();
  const watcher = await open(api.keys.supplier);
  for (const bins of [['beta-bin'], ['depot-bin'], ['beta-bin']]) {
    changed(...bins);
    await watcher.next(isStock);
  }
  const back = await open(api.keys.supplier, { 'last-event-id': id ?? '' });
  const missed = [await back.next(isStock), await back.next(isStock)];
  expect(missed.map((message) => stockOf(message).binId)).toEqual(['depot-bin', 'beta-bin']);
  changed('acme-bin');
  expect(stockOf(await back.next(isStock)).binId).toBe('acme-bin');
  for (const stream of [watcher, back]) stream.close();
});

test('who comes with an id of another run is told everything', async () => {
  for (const lastEventId of ['another-run.5', 'nonsense', '.', '%']) {
    const stream = await open(api.keys.customer, { 'last-event-id': lastEventId });
    changed('beta-bin');
    expect(stockOf(await stream.next(isStock)).binId).toBe('acme-bin');
    stream.close();
  }
});

test('comments keep the stream alive while nothing happens', async () => {
  const stream = await open(api.keys.supplier);
  for (let beats = 0; beats < 3; beats += 1)
    await stream.next(({ comment }) => comment === 'still here');
  stream.close();
});

test('a revoked key ends its stream', async () => {
  const created = await api.ask('POST', '/api/v1/keys', { body: { name: 'x', role: 'supplier' } });
  const { id, key } = created.body as { id: string; key: string };
  const stream = await open(key);
  await api.ask('DELETE', `/api/v1/keys/${id}`);
  while ((await stream.read()) !== undefined);
  expect(stream.seen.length).toBeGreaterThan(0);
});

test('a stream needs a key', async () => {
  expect((await api.ask('GET', '/api/v1/events', { key: null })).status).toBe(401);
  expect((await api.ask('HEAD', '/api/v1/events')).status).toBe(404);
});

test('closing the server ends the streams rather than waiting for them', async () => {
  const other = await serve({ eventTimes: { gatherMs: 5, heartbeatMs: 50_000 } });
  const { hostname, port } = new URL(other.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${other.keys.supplier}\r\n\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  expect(head.toString()).toContain('200 OK');
  socket.resume();
  await Promise.all([once(socket, 'close'), other.close()]);
});
