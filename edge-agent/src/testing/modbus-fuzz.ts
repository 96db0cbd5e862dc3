import { binId } from '#shared/ids.ts';
import { seededRandom } from '#shared/testing/random.ts';
import { BrokenFrame, checkAnswer, withCrc, type ModbusRequest } from '../scale/modbus-frame.ts';
import { ModbusMaster } from '../scale/modbus-master.ts';
import { slavesOf, type BinPoint } from '../scale/modbus-points.ts';
import { loadProfile, profileNames } from '../scale/profile.ts';
import { rtuAnswer } from '../scale/rtu-line.ts';
import { sensor } from '../scale/sensor-config.ts';
import { tcpAnswer } from '../scale/tcp-line.ts';
import type { FuzzResult } from './codec-fuzz.ts';

export const FRAMINGS = ['tcp', 'rtu'] as const;
type Framing = (typeof FRAMINGS)[number];

/** What is read over Modbus: an indicator by its profile, or a sensor. */
export interface ModbusSubject {
  readonly name: string;
  readonly request: ModbusRequest;
  readonly point: BinPoint;
}

const UNIT = 3;
const at = { bin: 'a1', unit: UNIT, pollMs: 1_000 };
const levels = [
  { at: 4_000, massMg: 0 },
  { at: 20_000, massMg: 1_600_000 },
];

const SENSORS = [
  {
    ...at,
    kind: 'count',
    table: 'input',
    address: 0,
    type: 'uint32',
    sure: { address: 2, bit: 0 },
  },
  { ...at, kind: 'level', table: 'input', address: 0, levels, divisionMg: 1_000 },
  { ...at, kind: 'presence', table: 'holding', address: 0, bit: 3 },
  { ...at, kind: 'presence', table: 'discrete', address: 0 },
].map((config) => sensor.parse(config));

/** Every profile and every kind of sensor. */
export const MODBUS_SUBJECTS: readonly ModbusSubject[] = [
  ...profileNames().map((name) => {
    const profile = loadProfile(name);
    const counted = profile.unit === undefined ? { countMg: 100 } : {};
    const scale = { ...at, bin: binId(at.bin), profile, divisionMg: 100, ...counted };
    return subject(name, slavesOf({ scales: [scale], sensors: [] })[0]?.points[0]);
  }),
  ...SENSORS.map((config) =>
    subject(
      `${config.kind} of ${config.table}`,
      slavesOf({ scales: [], sensors: [config] })[0]?.points[0],
    ),
  ),
];

function subject(name: string, point: BinPoint | undefined): ModbusSubject {
  if (point === undefined) throw new Error(`${name} has no point`);
  const { table, first, count } = point;
  return { name, point, request: { unit: UNIT, table, first, count } };
}

type Below = (limit: number) => number;
const FUNCTIONS = { coil: 1, discrete: 2, holding: 3, input: 4 } as const;
const EXCEPTION = 0x80;
const holdsBits = ({ table }: ModbusRequest): boolean => table === 'coil' || table === 'discrete';

/** Registers, or bits, as a device would have them: mostly small, so that many are weights. */
function wordsOf(request: ModbusRequest, below: Below): number[] {
  const limit = holdsBits(request) ? 2 : [2, 16, 0x100, 0x1_0000][below(4)];
  return Array.from({ length: request.count }, () => below(limit ?? 2));
}

/** Unit and PDU of an answer. */
function answerOf(request: ModbusRequest, words: readonly number[], unit = UNIT): Buffer {
  const head = [unit, FUNCTIONS[request.table]];
  if (!holdsBits(request)) {
    return Buffer.from([
      ...head,
      2 * words.length,
      ...words.flatMap((word) => [word >> 8, word & 0xff]),
    ]);
  }
  const bytes: number[] = Array.from({ length: Math.ceil(words.length / 8) }, () => 0);
  for (const [place, bit] of words.entries()) {
    bytes[place >> 3] = (bytes[place >> 3] ?? 0) | (bit << (place & 7));
  }
  return Buffer.from([...head, bytes.length, ...bytes]);
}

interface Case {
  readonly request: ModbusRequest;
  readonly framing: Framing;
  readonly transaction: number;
  /** Unit and PDU of the right answer. */
  readonly answer: Buffer;
  readonly below: Below;
}

function framed({ framing }: Case, pdu: Buffer, transaction: number, length = pdu.length): Buffer {
  if (framing === 'rtu') return withCrc(pdu);
  const header = Buffer.alloc(6);
  header.writeUInt16BE(transaction, 0);
  header.writeUInt16BE(length, 4);
  return Buffer.concat([header, pdu]);
}

const right = (one: Case): Buffer => framed(one, one.answer, one.transaction);
const noise = (below: Below, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => below(256)));
const spliced = (bytes: Buffer, from: number, gone: number, instead: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, from), instead, bytes.subarray(from + gone)]);
const other = (one: Case, change: (pdu: Buffer) => void): Buffer => {
  const pdu = Buffer.from(one.answer);
  change(pdu);
  return framed(one, pdu, one.transaction);
};

/** Bytes before the registers: header, unit, function, byte count. */
const headBytes = ({ framing }: Case): number => (framing === 'tcp' ? 9 : 3);

/** An answer of somebody else: of another unit, or on TCP to another request. */
function strange(one: Case): Buffer {
  const { request, framing, transaction, below } = one;
  const words = wordsOf(request, below);
  const isOther = framing === 'rtu' || below(2) === 0;
  const pdu = answerOf(request, words, isOther ? UNIT + 1 + below(200) : UNIT);
  return framed(one, pdu, isOther ? transaction : (transaction + 1 + below(0xfffe)) & 0xffff);
}

/** Where it can be seen from the frame that it is broken, or not the answer. */
const BROKEN: readonly ((one: Case) => Buffer)[] = [
  // Up to three bits, and 16 in a row: a CRC-16 finds all of them. TCP has none: those of the head.
  (one) => {
    const frame = right(one);
    const bits = 8 * (one.framing === 'rtu' ? frame.length : headBytes(one));
    for (const bit of new Set([0, 0, 0].slice(one.below(3)).map(() => one.below(bits)))) {
      frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    return frame;
  },
  (one) => {
    const frame = right(one);
    const from = one.below(one.framing === 'rtu' ? frame.length - 1 : headBytes(one) - 1);
    frame.writeUInt16BE(frame.readUInt16BE(from) ^ (1 + one.below(0xffff)), from);
    return frame;
  },
  // Cut short, begun late, a byte lost or doubled, with and without a frame after it.
  (one) => right(one).subarray(0, one.below(right(one).length)),
  (one) => right(one).subarray(1 + one.below(right(one).length - 1)),
  (one) => {
    const frame = right(one);
    const lost = spliced(frame, one.below(frame.length), 1, Buffer.alloc(0));
    return one.below(2) === 0 ? lost : Buffer.concat([lost, strange(one)]);
  },
  (one) => {
    const frame = right(one);
    return spliced(frame, headBytes(one) - 1, 0, noise(one.below, 1 + one.below(3)));
  },
  // Of others, before it and after it; the bytes of two devices mixed.
  (one) => Buffer.concat([strange(one), right(one)]),
  (one) => Buffer.concat([right(one), strange(one)]),
  strange,
  (one) => {
    const [mine, theirs] = [right(one), strange(one)];
    const both = [...mine].flatMap((byte, place) => [byte, theirs[place] ?? 0]);
    return Buffer.from(one.below(2) === 0 ? both : both.toReversed());
  },
  (one) => Buffer.concat([right(one), right(one)]),
  // Another function, any exception, a byte count or a number of registers that was not asked for.
  (one) =>
    other(one, (pdu) => void pdu.writeUInt8((pdu.readUInt8(1) + 1 + one.below(255)) & 0xff, 1)),
  (one) =>
    framed(
      one,
      Buffer.from([UNIT, EXCEPTION | FUNCTIONS[one.request.table], one.below(256)]),
      one.transaction,
    ),
  (one) =>
    other(one, (pdu) => void pdu.writeUInt8((pdu.readUInt8(2) + 1 + one.below(255)) & 0xff, 2)),
  (one) => {
    const count = (one.request.count + (holdsBits(one.request) ? 8 : 1) + one.below(100)) % 125;
    if (
      answerOf(
        one.request,
        Array.from({ length: count }, () => 0),
      ).length === one.answer.length
    ) {
      return strange(one);
    }
    const more = { ...one.request, count };
    return framed(one, answerOf(more, wordsOf(more, one.below)), one.transaction);
  },
  // A length that lies, floods, and what is no Modbus at all.
  (one) =>
    framed(one, one.answer.subarray(0, -1), one.transaction, [0, 1, 2, 255, 0xffff][one.below(5)]),
  (one) => Buffer.alloc(1 + one.below(600), [0x00, 0xff, UNIT][one.below(3)]),
  (one) => Buffer.from('S S     100.00 g\r\n溢出🧨'.repeat(1 + one.below(20))),
  (one) => noise(one.below, one.below(300)),
];

/** Other registers in a frame of the right shape: only a checksum could tell. */
function changed(one: Case): Buffer {
  const frame = right(one);
  const from = headBytes(one);
  noise(one.below, frame.length - from).copy(frame, from);
  return frame;
}

/** Unit and PDU with CRC as modbus-serial is given them; `null` where they are no answer. */
function accepted({ framing, request, transaction }: Case, came: Buffer): Buffer | null {
  try {
    if (framing === 'rtu') return rtuAnswer(request, came);
    const { answer } = tcpAnswer(transaction, came);
    if (answer === null) return null;
    checkAnswer(request, answer);
    return withCrc(answer);
  } catch (error) {
    if (error instanceof BrokenFrame) return null;
    throw error;
  }
}

/** One in so many frames has other registers instead of being broken. */
const CHANGED_EVERY = 8;

/**
 * Answers to one request, each broken in another way.
 * - Broken: what is taken are exactly the registers that the device sent.
 * - Changed: a CRC-16 lets one in 65,536 pass, and Modbus TCP has no checksum of its own: there the
 *   network's is what they would have to get past.
 * Whatever is taken is decoded, and must come out as a fault or as a whole number.
 */
export async function fuzzModbus(
  { request, point }: ModbusSubject,
  { framing, frames, seed }: { framing: Framing; frames: number; seed: number },
): Promise<FuzzResult> {
  const chance = seededRandom(seed);
  const below: Below = (limit) => Math.floor(chance() * limit);
  const master = new ModbusMaster(() => {});
  const result = { crashes: 0, wrong: 0, firstWrong: null as string | null, changed: 0, passed: 0 };
  for (let count = 0; count < frames; count += 1) {
    const words = wordsOf(request, below);
    const transaction = below(0x1_0000);
    const one: Case = { request, framing, transaction, answer: answerOf(request, words), below };
    const isChanged = count % CHANGED_EVERY === 0;
    const came = isChanged ? changed(one) : (BROKEN[below(BROKEN.length)] ?? right)(one);
    if (isChanged) result.changed += 1;
    try {
      const frame = accepted(one, came);
      if (frame === null) continue;
      const asked = master.ask(request);
      master.answered(frame);
      const answer = await asked;
      if (!answer.ok) continue;
      const read = point.decode(answer.words);
      const value = read.ok ? ('value' in read ? read.value : read.massMg) : 0;
      if (!Number.isSafeInteger(value)) throw new RangeError(`${value}`);
      if (answer.words.every((word, place) => word === words[place])) continue;
      if (isChanged) result.passed += 1;
      else {
        result.wrong += 1;
        result.firstWrong ??= `seed ${seed}, frame ${count}: ${came.toString('hex')}`;
      }
    } catch {
      result.crashes += 1;
    }
  }
  return result;
}
