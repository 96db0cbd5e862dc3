import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

/** Who is dead from now on; all others answer. */
export interface LineOrder {
  readonly dead: readonly number[];
}

/** What the line says: first where it listens, then what it was asked for. */
export interface LineNews {
  readonly port?: number;
  /** Median time between an answer's last byte and the next request, since the last order, ms. */
  readonly gapMs?: number;
}

/**
 * A serial line with slaves, behind a device server: every byte takes its time. It runs in a thread
 * of its own, so that it does not wait for the agent. An answer begins 3.5 characters after the last
 * one of the request, which is how a slave knows that the request is over.
 */
export interface LineData {
  /** Time of a character, ms. */
  readonly characterMs: number;
  /** Unit → its whole answer with CRC. */
  readonly answers: ReadonlyMap<number, Uint8Array>;
}

const REQUEST_BYTES = 8;
const FRAME_END_CHARACTERS = 3.5;

const { characterMs, answers } = workerData as LineData;
let dead: ReadonlySet<number> = new Set<number>();
let gaps: number[] = [];
let answeredAt: number | null = null;

/** Timers are good for a millisecond; the rest is waited for in turns. */
async function until(instant: number): Promise<void> {
  for (let left = instant - performance.now(); left > 0; left = instant - performance.now()) {
    if (left > 2) await sleep(left - 2);
    else await turn();
  }
}

async function answer(socket: Socket, unit: number, cameAt: number): Promise<void> {
  const bytes = answers.get(unit);
  if (bytes === undefined || dead.has(unit)) return;
  const characters = REQUEST_BYTES + FRAME_END_CHARACTERS + bytes.length;
  await until(cameAt + characters * characterMs);
  socket.write(bytes);
  answeredAt = performance.now();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (request: Buffer) => {
    const cameAt = performance.now();
    if (answeredAt !== null) gaps.push(cameAt - answeredAt);
    answeredAt = null;
    void answer(socket, request.readUInt8(0), cameAt);
  });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const tell = (news: LineNews): void => parentPort?.postMessage(news, []);
parentPort?.on('message', (order: LineOrder) => {
  dead = new Set(order.dead);
  tell({ gapMs: median(gaps) });
  gaps = [];
});
tell({ port: (server.address() as AddressInfo).port });
