import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

/** Bytes of an exception's answer: unit, function, code, CRC. */
const EXCEPTION_BYTES = 5;
const EXCEPTION_FLAG = 0x80;

/** Bytes around the registers of an answer to functions 3 and 4. */
const FRAME_BYTES = 5;

/**
 * Modbus RTU frames over any stream of bytes, as a port for modbus-serial's client; so one code
 * serves serial ports and serial device servers on TCP. (Of the library's own ports, the one called
 * TcpRTUBuffered speaks Modbus TCP headers, and the serial one keeps the rest of a broken answer and
 * takes it for the start of the next.)
 *
 * An answer is looked for only while a request is out; bytes that come at any other time are thrown
 * away. The client checks unit, function, length and CRC.
 */
export class RtuPort extends EventEmitter {
  readonly #line: Duplex;
  #answer: Buffer = Buffer.alloc(0);
  #request: { readonly unit: number; readonly code: number; readonly bytes: number } | null = null;
  /** The library's client keeps one outstanding request under each of these. */
  readonly _transactionIdRead = 1;
  readonly _transactionIdWrite = 1;

  constructor(line: Duplex) {
    super();
    this.#line = line;
    line.on('data', (bytes: Buffer) => this.#receive(bytes));
    line.once('close', () => this.emit('close'));
  }

  get isOpen(): boolean {
    return !this.#line.destroyed;
  }

  open(done: (error?: Error) => void): void {
    done();
  }

  /** @param frame a request of function 3 or 4 with its CRC */
  write(frame: Buffer): void {
    const bytes = FRAME_BYTES + 2 * frame.readUInt16BE(4);
    this.#request = { unit: frame.readUInt8(0), code: frame.readUInt8(1), bytes };
    this.#answer = Buffer.alloc(0);
    this.#line.write(frame);
  }

  /** The request is given up; whatever still comes is thrown away. */
  forget(): void {
    this.#request = null;
  }

  close(done?: () => void): void {
    this.destroy(done);
  }

  destroy(done?: () => void): void {
    this.#line.destroy();
    done?.();
  }

  #receive(bytes: Buffer): void {
    const request = this.#request;
    if (request === null) return;
    this.#answer = Buffer.concat([this.#answer, bytes]);
    if (this.#answer.length < EXCEPTION_BYTES) return;
    const isException = this.#answer[1] === (request.code | EXCEPTION_FLAG);
    const expected = isException ? EXCEPTION_BYTES : request.bytes;
    if (this.#answer.length < expected) return;
    this.#request = null;
    this.emit('data', this.#answer);
  }
}
