import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { systemClock } from '#shared/clock.ts';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import { Bus } from '../src/bus/bus.ts';
import { modbusDriver, type ModbusReads } from '../src/scale/modbus.ts';
import { crc16 } from '../src/scale/modbus-frame.ts';
import { slavesOf, type BinPoint, type PolledSlave } from '../src/scale/modbus-points.ts';
import { loadProfile } from '../src/scale/profile.ts';
import type { LineData, LineNews, LineOrder } from './bus-line.ts';

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

/** Reads of every unit that were answered, since `restart`. */
class Counter {
  #counts = new Map<number, number>();

  restart(): void {
    this.#counts = new Map();
  }

  add({ unit }: PolledSlave): void {
    this.#counts.set(unit, this.of([unit]) + 1);
  }

  of(units: readonly number[]): number {
    return units.reduce((sum, unit) => sum + (this.#counts.get(unit) ?? 0), 0);
  }
}

/** Line and slaves in a thread of their own. */
class Line {
  readonly #worker: Worker;

  constructor(workerData: LineData) {
    this.#worker = new Worker(new URL('./bus-line.ts', import.meta.url), { workerData });
  }

  async port(): Promise<number> {
    return (await this.#news()).port ?? 0;
  }

  /** From now on these are dead. @returns the median silence that the agent has kept until now, ms */
  async kill(dead: readonly number[]): Promise<number> {
    const news = this.#news();
    const order: LineOrder = { dead };
    this.#worker.postMessage(order, []);
    return (await news).gapMs ?? 0;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #news(): Promise<LineNews> {
    const [news] = (await once(this.#worker, 'message')) as [LineNews];
    return news;
  }
}

function busOf(
  port: number,
  { units, baud, counter }: { units: readonly number[]; baud: number; counter: Counter },
): Bus<PolledSlave, ModbusReads<BinPoint>> {
  const timeoutMs = 1_000;
  const driver = modbusDriver<BinPoint>({
    protocol: 'modbus-rtu-over-tcp',
    address: `127.0.0.1:${port}`,
    serial: { baud, parity: 'even', dataBits: 8, stopBits: 1 },
    timeoutMs,
  });
  const scales = units.map((unit) => ({
    bin: binId(`bin-${unit}`),
    unit,
    pollMs: 50,
    divisionMg: 1_000,
    countMg: 1_000,
    profile: PROFILE,
  }));
  return new Bus({
    name: 'bench',
    driver,
    timeoutMs,
    scales: slavesOf({ scales, sensors: [] }),
    clock: systemClock,
    log: createLog('agent', 'silent'),
    onRead: (slave, reads) => {
      if (!('ok' in reads) && reads.every(({ read }) => read.ok)) counter.add(slave);
    },
  });
}

type Option = 'slaves' | 'baud' | 'dead' | 'aliveS' | 'deadS';
type Figure =
  | 'cycle_ratio'
  | 'bytes_alone_ratio'
  | 'least_bytes_alone_ratio'
  | 'cycle_ms'
  | 'added_silence_ms'
  | 'dead_slave_percent'
  | 'found_again_s';

async function run({
  slaves,
  baud,
  dead,
  aliveS,
  deadS,
}: Readonly<Record<Option, number>>): Promise<Record<Figure, number>> {
  const units = Array.from({ length: slaves }, (_, place) => place + 1);
  const characterMs = (1_000 * BITS_PER_CHARACTER) / baud;
  const answers = new Map(units.map((unit) => [unit, answerOf(unit)]));
  const line = new Line({ characterMs, answers });
  const counter = new Counter();
  const bus = busOf(await line.port(), { units, baud, counter });
  try {
    bus.start();
    // Long enough for every slave to be known.
    while (counter.of(units) < 10 * slaves) await sleep(50);
    counter.restart();
    await line.kill([]);
    const aliveAt = performance.now();
    await sleep(1_000 * aliveS);
    const aliveMs = performance.now() - aliveAt;
    const cycleMs = (aliveMs * slaves) / counter.of(units);
    const characters = slaves * (REQUEST_BYTES + answerOf(1).length);
    const silences = slaves * 2 * FRAME_END_CHARACTERS;

    const [victims, others] = [units.slice(0, dead), units.slice(dead)];
    const silenceMs = await line.kill(victims);
    counter.restart();
    const deadAt = performance.now();
    await sleep(1_000 * deadS);
    const deadMs = performance.now() - deadAt;
    // What the others would get on a line without the dead ones.
    const without = (deadMs / cycleMs) * slaves;
    const lost = 1 - counter.of(others) / without;

    await line.kill([]);
    counter.restart();
    const backAt = performance.now();
    while (victims.some((unit) => counter.of([unit]) === 0)) await sleep(20);
    return {
      cycle_ratio: cycleMs / ((characters + silences) * characterMs),
      bytes_alone_ratio: cycleMs / (characters * characterMs),
      least_bytes_alone_ratio: (characters + silences) / characters,
      cycle_ms: cycleMs,
      added_silence_ms: silenceMs - FRAME_END_CHARACTERS * characterMs,
      dead_slave_percent: 100 * lost,
      found_again_s: (performance.now() - backAt) / 1_000,
    };
  } finally {
    await bus.stop();
    await line.close();
  }
}

export const bench = {
  name: 'bus',
  describe: 'slaves on one serial line that takes the time of every byte, and some of them die',
  options: {
    slaves: { default: 32, small: 4, describe: 'slaves on the line' },
    baud: { default: 19_200, small: 19_200, describe: 'speed of the line' },
    dead: { default: 1, small: 1, describe: 'how many of them die at once' },
    aliveS: { default: 20, small: 0.5, describe: 'how long all answer, seconds' },
    deadS: { default: 60, small: 0.5, describe: 'how long they are dead, seconds from death on' },
  },
  figures: {
    cycle_ratio:
      'full cycle, to the time that the bytes need on the line: their characters, and the 3.5 characters of silence that end each frame',
    bytes_alone_ratio: 'full cycle, to the time of the characters without any silence',
    least_bytes_alone_ratio: 'what bytes_alone_ratio would be with the silences and nothing else',
    cycle_ms: 'full cycle',
    added_silence_ms:
      'median silence before a request beyond its 3.5 characters: what the agent loses',
    dead_slave_percent: 'reads that the others lose, to a line without the dead slaves',
    found_again_s: 'from the return of the dead slaves until each of them was read',
  },
  run,
} satisfies Benchmark<Option, Figure>;
