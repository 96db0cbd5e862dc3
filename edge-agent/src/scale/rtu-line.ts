import type { Duplex } from 'node:stream';
import { charactersMs, silence, type LineAddress } from './line.ts';
import {
  answerBytes,
  BrokenFrame,
  checkAnswer,
  CRC_BYTES,
  crc16,
  type ModbusAnswer,
  type ModbusRequest,
} from './modbus-frame.ts';
import {
  exchange,
  silentUntil,
  type ExchangeLimits,
  type ModbusLine,
  type Pending,
} from './modbus-line.ts';
import { ModbusMaster } from './modbus-master.ts';

/** The shortest frame there is: unit, function, CRC. */
const SHORTEST_FRAME = 4;

/** Silence that ends an RTU frame, in characters (Modbus over serial line V1.02, 2.5.1.1). */
const FRAME_END_CHARACTERS = 3.5;

/** After a failure some slaves need this before they listen again: the usual turnaround of RS-485. */
const TURNAROUND_MS = 5;

/**
 * Modbus RTU over any stream of bytes, a serial port or a serial device server.
 *
 * An answer is looked for only while a request is out; bytes that come at any other time are thrown
 * away. RTU has no number that ties an answer to its request, so after a failure the line is drained:
 * silence at least as long as the slowest answer ever seen on it, late ones included.
 */
export class RtuLine implements ModbusLine {
  readonly #line: Duplex;
  readonly #master: ModbusMaster;
  readonly #address: LineAddress;
  #pending: Pending | null = null;
  #came: Buffer = Buffer.alloc(0);
  /** When the request went out that is or was last waited for; `null` once it is over. */
  #askedAt: number | null = null;
  /** When the line was last busy. Both are of `performance.now()`. */
  #busyAt = 0;
  /** Slowest answer seen, ms; before the first, as slow as any may be. */
  #slowestMs: number | null = null;

  constructor(line: Duplex, address: LineAddress) {
    this.#line = line;
    this.#master = new ModbusMaster((frame) => line.write(frame));
    this.#address = address;
    line.on('data', (bytes: Buffer) => this.#take(bytes));
  }

  async exchange(
    request: ModbusRequest,
    { timeoutMs, pauseMs }: ExchangeLimits,
  ): Promise<ModbusAnswer> {
    await silentUntil(this.#busyAt + this.#frameEndMs + pauseMs);
    try {
      return await exchange(this.#line, { request, timeoutMs }, (pending) => {
        this.#pending = pending;
        this.#came = Buffer.alloc(0);
        this.#askedAt = performance.now();
        this.#master.ask(request).then(pending.settle, pending.refuse);
        return () => (this.#came.length === 0 ? '' : `, but ${this.#came.length} stray bytes`);
      });
    } finally {
      this.#pending = null;
      this.#busyAt = performance.now();
    }
  }

  async drain(): Promise<void> {
    const { timeoutMs } = this.#address;
    const quietMs = TURNAROUND_MS + this.#frameEndMs + (this.#slowestMs ?? timeoutMs);
    await silence(this.#line, { quietMs, longestMs: quietMs + timeoutMs });
    this.#askedAt = null;
  }

  close(): void {
    this.#line.destroy();
  }

  get #frameEndMs(): number {
    return charactersMs(FRAME_END_CHARACTERS, this.#address);
  }

  #take(bytes: Buffer): void {
    this.#busyAt = performance.now();
    if (this.#askedAt !== null) {
      this.#slowestMs = Math.max(this.#slowestMs ?? 0, this.#busyAt - this.#askedAt);
    }
    const pending = this.#pending;
    if (pending === null) return;
    this.#came = this.#came.length === 0 ? bytes : Buffer.concat([this.#came, bytes]);
    try {
      const frame = rtuAnswer(pending.request, this.#came);
      if (frame === null) return;
      this.#pending = null;
      this.#master.answered(frame);
    } catch (error) {
      this.#pending = null;
      pending.refuse(error);
    }
  }
}

/**
 * @param came all bytes since the request
 * @returns the answer's frame with its CRC, or `null` while more bytes are to come
 * @throws BrokenFrame where they are no answer to this request
 */
export function rtuAnswer(request: ModbusRequest, came: Buffer): Buffer | null {
  if (came.length < SHORTEST_FRAME) return null;
  const length = answerBytes(request, came) + CRC_BYTES;
  if (came.length < length) return null;
  // Two answers in one: which of them is the one to this request, nobody can tell.
  if (came.length - length >= SHORTEST_FRAME) {
    throw new BrokenFrame(`${came.length} bytes instead of ${length}`);
  }
  const frame = came.subarray(0, length - CRC_BYTES);
  if (crc16(frame) !== came.readUInt16LE(frame.length)) throw new BrokenFrame('a broken checksum');
  checkAnswer(request, frame);
  return came.subarray(0, length);
}
