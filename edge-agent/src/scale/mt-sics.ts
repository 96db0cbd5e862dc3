import type { Duplex } from 'node:stream';
import { Failure } from '#shared/failure.ts';
import type { ScaleRead } from '../core/scale-read.ts';
import { openLine, silence, type LineAddress } from './line.ts';
import { ASK_IMMEDIATE, decodeAnswer, LineReader } from './mt-sics-codec.ts';
import type { ScaleDriver, ScaleSession } from './port.ts';

/** MT-SICS over a serial port or a serial device server; one balance a line. */
export function mtSicsDriver(link: LineAddress): ScaleDriver<unknown> {
  return { open: async () => new MtSicsSession(await openLine(link), link.timeoutMs) };
}

class MtSicsSession implements ScaleSession<unknown> {
  readonly #line: Duplex;
  readonly #timeoutMs: number;
  readonly #reader = new LineReader();
  /** Takes the answer to the request that is out, if one is. */
  #waiting: ((read: ScaleRead) => void) | null = null;

  constructor(line: Duplex, timeoutMs: number) {
    this.#line = line;
    this.#timeoutMs = timeoutMs;
    line.on('data', (bytes: Buffer) => {
      for (const text of this.#reader.push(bytes)) this.#take(text);
    });
  }

  read(): Promise<ScaleRead> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        end();
        const code = this.#line.destroyed ? 'link-down' : 'scale-silent';
        reject(new Failure(code, why, { retry: 'later' }));
      };
      const closed = (): void => fail('the line was closed');
      const deadline = setTimeout(() => {
        fail(`no answer within ${this.#timeoutMs} ms`);
      }, this.#timeoutMs);
      const end = (): void => {
        clearTimeout(deadline);
        this.#line.off('close', closed);
        this.#waiting = null;
      };
      this.#waiting = (read) => {
        end();
        resolve(read);
      };
      this.#line.once('close', closed);
      if (this.#line.destroyed) closed();
      else this.#line.write(ASK_IMMEDIATE);
    });
  }

  /** An answer that comes late is one line; after it the line is silent. */
  async drain(): Promise<void> {
    await silence(this.#line, { quietMs: this.#timeoutMs, longestMs: 3 * this.#timeoutMs });
    this.#reader.clear();
  }

  close(): void {
    this.#line.destroy();
  }

  /** A line that is no answer (a printout, noise) is passed over; the deadline still runs. */
  #take(text: string): void {
    const read = decodeAnswer(text);
    if (read !== null) this.#waiting?.(read);
  }
}
