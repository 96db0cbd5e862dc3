import type { Duplex } from 'node:stream';
import {
  BrokenFrame,
  checkAnswer,
  CRC_BYTES,
  type ModbusAnswer,
  type ModbusRequest,
  withCrc,
} from './modbus-frame.ts';
import {
  exchange,
  silentUntil,
  type ExchangeLimits,
  type ModbusLine,
  type Pending,
} from './modbus-line.ts';
import { ModbusMaster } from './modbus-master.ts';

/** Transaction, protocol, length; the unit is counted in the length. */
const HEADER_BYTES = 6;
const TRANSACTIONS = 0x1_0000;

/** Unit and PDU: an exception is the shortest, 253 bytes of PDU are the longest. */
const SHORTEST = 3;
const LONGEST = 254;

/**
 * Modbus TCP. Answers carry the number of their request, so a late one is told from the next and
 * needs no drain. Where frames can no longer be told apart (an impossible header, half an answer at
 * the deadline) the connection is given up: whatever follows on it would be read shifted.
 */
export class TcpLine implements ModbusLine {
  readonly #line: Duplex;
  readonly #master: ModbusMaster;
  #came: Buffer = Buffer.alloc(0);
  #transaction = 0;
  #pending: Pending | null = null;
  /** When the line was last busy, of `performance.now()`. */
  #busyAt = 0;

  constructor(line: Duplex) {
    this.#line = line;
    this.#master = new ModbusMaster((frame) => {
      line.write(framed(this.#transaction, frame.subarray(0, -CRC_BYTES)));
    });
    line.on('data', (bytes: Buffer) => this.#take(bytes));
  }

  async exchange(
    request: ModbusRequest,
    { timeoutMs, pauseMs }: ExchangeLimits,
  ): Promise<ModbusAnswer> {
    if (pauseMs > 0) await silentUntil(this.#busyAt + pauseMs);
    try {
      return await exchange(this.#line, { request, timeoutMs }, (pending) => {
        this.#pending = pending;
        this.#transaction = (this.#transaction + 1) % TRANSACTIONS;
        this.#master.ask(request).then(pending.settle, pending.refuse);
        return () => {
          if (this.#came.length === 0) return '';
          this.#line.destroy();
          return `, but ${this.#came.length} bytes of one`;
        };
      });
    } finally {
      this.#pending = null;
      this.#busyAt = performance.now();
    }
  }

  async drain(): Promise<void> {}

  close(): void {
    this.#line.destroy();
  }

  #take(bytes: Buffer): void {
    this.#came = this.#came.length === 0 ? bytes : Buffer.concat([this.#came, bytes]);
    try {
      const { answer, rest } = tcpAnswer(this.#transaction, this.#came);
      this.#came = rest;
      if (answer !== null) this.#answered(answer);
    } catch (error) {
      this.#line.destroy();
      this.#pending?.refuse(error);
      this.#came = Buffer.alloc(0);
    }
  }

  #answered(frame: Buffer): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    try {
      checkAnswer(pending.request, frame);
      this.#master.answered(withCrc(frame));
    } catch (error) {
      pending.refuse(error);
    }
  }
}

/**
 * Looks for the answer to a request among what came. It is not believed where bytes that are no whole
 * frame came with it, since then it may hold one too many or have lost one.
 * @param came all bytes since the last whole frame
 * @returns unit and PDU of the answer, `null` while it is not there; and the bytes after whole frames
 * @throws BrokenFrame where frames cannot be told apart any more, or two answers differ
 */
export function tcpAnswer(
  transaction: number,
  came: Buffer,
): { readonly answer: Buffer | null; readonly rest: Buffer } {
  let answer: Buffer | null = null;
  let rest = came;
  while (rest.length >= HEADER_BYTES) {
    const length = rest.readUInt16BE(4);
    if (rest.readUInt16BE(2) !== 0 || length < SHORTEST || length > LONGEST) {
      throw new BrokenFrame('a header that is not one of Modbus TCP');
    }
    if (rest.length < HEADER_BYTES + length) break;
    const frame = rest.subarray(HEADER_BYTES, HEADER_BYTES + length);
    // Any other is of another request: late, or of a device that has lost count.
    if (rest.readUInt16BE(0) === transaction) {
      if (answer !== null && !answer.equals(frame)) {
        throw new BrokenFrame('two answers to one request, with a header each');
      }
      answer = frame;
    }
    rest = rest.subarray(HEADER_BYTES + length);
  }
  if (answer !== null && rest.length > 0) {
    throw new BrokenFrame(`${rest.length} bytes after the answer that are no frame`);
  }
  return { answer, rest };
}

function framed(transaction: number, frame: Buffer): Buffer {
  const whole = Buffer.alloc(HEADER_BYTES + frame.length);
  whole.writeUInt16BE(transaction, 0);
  whole.writeUInt16BE(frame.length, 4);
  frame.copy(whole, HEADER_BYTES);
  return whole;
}
