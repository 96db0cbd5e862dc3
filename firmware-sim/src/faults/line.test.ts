import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FAULT_KIND_NAMES, isLineFault, isPossible, type FaultRule } from '../core/faults.ts';
import { encodeMbap } from '../modbus/mbap.ts';
import { encodeRtu } from '../modbus/rtu.ts';
import { damaged } from './damage.ts';
import { streamOf } from '../core/random.ts';
import { LinkFaults, type Injection } from './link-faults.ts';
import { faultyLine } from './line.ts';
import { faultRule } from './section.ts';

const rule = (kind: FaultRule['kind'], more: Partial<FaultRule> = {}): FaultRule => ({
  ...faultRule.parse({ kind }),
  ...more,
});

let monotonic = 0;
const clock = { wallMs: () => 1_000 + monotonic, monotonicMs: () => monotonic };
const injections: Injection[] = [];
const linkFaults = (seed = 1, framing: LinkFaults['framing'] = 'mbap'): LinkFaults =>
  new LinkFaults({
    place: { site: 's', link: 'l', framing },
    seed,
    clock,
    onInjected: (injection) => injections.push(injection),
  });

const closing: (() => void)[] = [];
afterEach(() => {
  monotonic = 0;
  injections.length = 0;
  for (const close of closing.splice(0)) close();
});

/** A device that answers every piece it gets with a counted answer of unit 1. */
async function device(faults: LinkFaults): Promise<(standing?: boolean) => Promise<Socket>> {
  let answers = 0;
  let open = 0;
  const server = createServer((client) => {
    client.on('error', () => client.destroy());
    const line = faultyLine({ client, faults, open, onPiece: () => {} });
    open += 1;
    client.on('close', () => (open -= 1));
    line?.on('data', () => {
      answers += 1;
      line.write(encodeMbap({ transaction: answers, unit: 1, pdu: Buffer.from([3, 2, 0, 7]) }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return async (standing = true) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => {});
    closing.push(() => socket.destroy());
    if (standing) await once(socket, 'connect');
    return socket;
  };
}

async function ask(socket: Socket): Promise<Buffer> {
  const answer = once(socket, 'data') as Promise<[Buffer]>;
  socket.write('?');
  return (await answer)[0];
}

const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => {
    socket.on('close', resolve);
  });

const transactions = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 11 }, (_, i) => bytes.readUInt16BE(11 * i));

test('a merged answer comes in one piece with the next, once, and is told', async () => {
  const faults = linkFaults();
  faults.add(null, rule('merged', { count: 1 }));
  const socket = await (await device(faults))();
  socket.write('?');
  while (injections.length === 0) await new Promise(setImmediate);
  expect(transactions(await ask(socket))).toEqual([1, 2]);
  expect(transactions(await ask(socket))).toEqual([3]);
  expect(injections).toEqual([
    { at: 1_000, site: 's', link: 'l', unit: 1, kind: 'merged', request: 0, rule: 1 },
  ]);
});

test('a late answer comes when the next request was received, before its answer', async () => {
  const faults = linkFaults();
  faults.add(1, rule('late-answer', { count: 1 }));
  const socket = await (await device(faults))();
  socket.write('?');
  while (injections.length === 0) await new Promise(setImmediate);
  let all = await ask(socket);
  while (all.length < 22) all = Buffer.concat([all, ...((await once(socket, 'data')) as [Buffer])]);
  expect(transactions(all)).toEqual([1, 2]);
});

test('a half-open line takes requests and gives nothing until it is cleared', async () => {
  const faults = linkFaults();
  const open = await device(faults);
  const before = await open();
  expect(transactions(await ask(before))).toEqual([1]);
  const { id } = faults.add(null, rule('half-open'));
  before.write('?');
  const during = await open();
  during.write('?');
  while (injections.length === 0) await new Promise(setImmediate);
  expect(faults.clear(id)).toBe(1);
  expect(transactions(await ask(before))).toEqual([2]);
});

test('refused and supernumerary connections are reset', async () => {
  const faults = linkFaults();
  const open = await device(faults);
  const { id } = faults.add(null, rule('max-connections', { connections: 1 }));
  const first = await open();
  expect(transactions(await ask(first))).toEqual([1]);
  await closed(await open(false));
  expect(transactions(await ask(first))).toEqual([2]);
  faults.clear(id);
  faults.add(null, rule('refuse'));
  first.write('?');
  await closed(first);
  await closed(await open(false));
});

test('after afterS, for durationS, at most count times', () => {
  const faults = linkFaults();
  faults.add(null, rule('no-answer', { afterS: 1, durationS: 2, count: 2 }));
  const times = [0, 999, 1_000, 1_500, 2_000].map((at) => {
    monotonic = at;
    return faults.onAnswer(1) !== null;
  });
  expect(times).toEqual([false, false, true, true, false]);
  faults.clear(null);
  faults.add(null, rule('no-answer', { durationS: 2 }));
  expect(faults.onAnswer(1)).not.toBeNull();
  monotonic += 2_000;
  expect(faults.onAnswer(1)).toBeNull();
});

const struck = (seed: number, others: boolean): boolean[] => {
  const faults = linkFaults(seed);
  faults.add(null, rule('no-answer', { probability: 0.3 }));
  return Array.from({ length: 200 }, () => {
    if (others) faults.onAnswer(2);
    return faults.onAnswer(1) !== null;
  });
};

test('the same seed strikes the same requests, whatever other units do; another seed others', () => {
  expect(struck(7, true)).toEqual(struck(7, false));
  expect(struck(7, false)).not.toEqual(struck(8, false));
  const share = struck(7, false).filter(Boolean).length / 200;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.4);
});

test('a fault of the link strikes each unit at requests of its own', () => {
  const faults = linkFaults(7);
  faults.add(null, rule('no-answer', { probability: 0.5 }));
  const units = [1, 2, 3];
  const strikes = Array.from({ length: 400 }, () =>
    units.map((unit) => faults.onAnswer(unit) !== null),
  );
  const share = (holds: (struck: boolean[]) => boolean): number =>
    strikes.filter(holds).length / strikes.length;
  for (const place of units.keys()) {
    expect(share((struck) => struck[place] === true)).toBeCloseTo(1 / 2, 1);
  }
  // Of three fair coins a quarter of the throws are alike.
  expect(share((struck) => new Set(struck).size === 1)).toBeCloseTo(1 / 4, 1);
});

test('a damaged answer is never the answer itself', () => {
  const pdu = Buffer.from([3, 4, 0, 1, 2, 3]);
  const answers = {
    mbap: encodeMbap({ transaction: 5, unit: 9, pdu }),
    rtu: encodeRtu({ unit: 9, pdu }),
    ascii: Buffer.from('S S     100.00 g\r\n'),
  };
  const notDamage = new Set(['no-answer', 'late-answer', 'merged', 'slow-bytes', 'reset', 'stuck']);
  for (const [framing, answer] of Object.entries(answers) as [LinkFaults['framing'], Buffer][]) {
    for (const kind of FAULT_KIND_NAMES) {
      if (!isPossible(kind, framing) || isLineFault(kind) || notDamage.has(kind)) continue;
      for (let key = 0; key < 200; key += 1) {
        const bytes = damaged(rule(kind), framing, answer, streamOf(key));
        expect(bytes, `${kind} ${framing} ${key}`).not.toBeNull();
        expect(bytes?.equals(answer), `${kind} ${framing} ${key}`).toBe(false);
      }
    }
  }
});
