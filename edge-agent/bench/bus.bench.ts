import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { systemClock } from '#shared/clock.ts';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import { Bus } from '../src/bus.ts';
import { modbusDriver } from '../src/scale/modbus.ts';
import { crc16 } from '../src/scale/modbus-frame.ts';
import { slavesOf, type BinPoint, type PolledSlave } from '../src/scale/modbus-points.ts';
import { loadProfile } from '../src/scale/profile.ts';
import type { LineData } from './bus-line.ts';

/** Start, eight data, parity, stop: the standard's character. */
const BITS_PER_CHARACTER = 11;
/** Silence that ends every frame; of a request and of its answer. */
const FRAME_END_CHARACTERS = 3.5;
const REQUEST_BYTES = 8;

/** Gross in two registers, net in two, status: what an indicator of five registers answers. */
const PROFILE = loadProfile('dini-argeo-dgt');
const WORDS = [0, 4_711, 0, 0, 0b100];
const INPUT_REGISTERS = 4;

function answerOf(unit: number): Uint8Array {
  const frame = Buffer.alloc(5 + 2 * WORDS.length);
  frame.set([unit, INPUT_REGISTERS, 2 * WORDS.length]);
  for (const [place, word] of WORDS.entries()) frame.writeUInt16BE(word, 3 + 2 * place);
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
  return frame;
}

/** Answers of every unit in a stretch of time. */
class Counter {
  readonly #counts = new Map<number, number>();

  add({ unit }: PolledSlave): void {
    this.#counts.set(unit, (this.#counts.get(unit) ?? 0) + 1);
  }

  of(units: readonly number[]): number {
    return units.reduce((sum, unit) => sum + (this.#counts.get(unit) ?? 0), 0);
  }
}

async function run({
  slaves,
  baud,
  aliveS,
  deadS,
}: Readonly<Record<'slaves' | 'baud' | 'aliveS' | 'deadS', number>>): Promise<
  Record<'cycle_ratio' | 'characters_ratio' | 'cycle_ms' | 'dead_slave_percent', number>
> {
  const units = Array.from({ length: slaves }, (_, place) => place + 1);
  const characterMs = (1_000 * BITS_PER_CHARACTER) / baud;
  const workerData: LineData = {
    characterMs,
    answers: new Map(units.map((unit) => [unit, answerOf(unit)])),
  };
  const line = new Worker(new URL('./bus-line.ts', import.meta.url), { workerData });
  const [port] = (await once(line, 'message')) as [number];
  let counter = new Counter();
  const serial = { baud, parity: 'even', dataBits: 8, stopBits: 1 } as const;
  const timeoutMs = 1_000;
  const bus = new Bus({
    name: 'bench',
    driver: modbusDriver<BinPoint>({
      protocol: 'modbus-rtu-over-tcp',
      address: `127.0.0.1:${port}`,
      serial,
      timeoutMs,
    }),
    timeoutMs,
    scales: slavesOf({
      scales: units.map((unit) => ({
        bin: binId(`bin-${unit}`),
        unit,
        pollMs: 50,
        divisionMg: 1_000,
        countMg: 1_000,
        profile: PROFILE,
      })),
      sensors: [],
    }),
    clock: systemClock,
    log: createLog('agent', 'silent'),
    onRead: (slave, reads) => {
      if (!('ok' in reads) && reads.every(({ read }) => read.ok)) counter.add(slave);
    },
  });
  try {
    bus.start();
    // Long enough for every slave to be known.
    while (counter.of(units) < 10 * slaves) await sleep(50);
    const alive = (counter = new Counter());
    const aliveAt = performance.now();
    await sleep(1_000 * aliveS);
    const aliveMs = performance.now() - aliveAt;
    const cycleMs = (aliveMs * slaves) / alive.of(units);
    const characters = slaves * (REQUEST_BYTES + answerOf(1).length);
    const silences = slaves * 2 * FRAME_END_CHARACTERS;

    const [victim = 1, ...others] = units;
    line.postMessage(victim, []);
    const after = (counter = new Counter());
    const deadAt = performance.now();
    await sleep(1_000 * deadS);
    const deadMs = performance.now() - deadAt;
    // What the others would get on a line without the dead one.
    const without = (deadMs / cycleMs) * (slaves / others.length) * others.length;
    return {
      cycle_ratio: cycleMs / ((characters + silences) * characterMs),
      characters_ratio: cycleMs / (characters * characterMs),
      cycle_ms: cycleMs,
      dead_slave_percent: 100 * (1 - after.of(others) / without),
    };
  } finally {
    await bus.stop();
    await line.terminate();
  }
}

export const bench = {
  name: 'bus',
  describe: 'slaves on one serial line that takes the time of every byte, and one of them dies',
  options: {
    slaves: { default: 32, small: 4, describe: 'slaves on the line' },
    baud: { default: 19_200, small: 19_200, describe: 'speed of the line' },
    aliveS: { default: 20, small: 0.5, describe: 'how long all answer, seconds' },
    deadS: { default: 60, small: 0.5, describe: 'how long one is dead, seconds from its death on' },
  },
  figures: {
    cycle_ratio:
      'full cycle, to the time of its bytes and of the 3.5 characters of silence that end a frame',
    characters_ratio: 'full cycle, to the time of its bytes alone',
    cycle_ms: 'full cycle',
    dead_slave_percent: 'reads that the others lose, to a line without the dead slave',
  },
  run,
} satisfies Benchmark<'slaves' | 'baud' | 'aliveS' | 'deadS'>;
