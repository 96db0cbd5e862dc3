import type { Duplex } from 'node:stream';
import { Failure } from '#shared/failure.ts';
import type { Codec } from './frame.ts';

/**
 * What comes in on a line, burst by burst. Whoever waits is told the newest of a burst and not its
 * first: after this process stood still, or a device server did, the first of it is old.
 */
export class Listener<Item> {
  readonly #line: Duplex;
  readonly #timeoutMs: number;
  readonly #idle: (items: readonly Item[]) => void;
  #items: Item[] = [];
  #isBurst = false;
  #grew = false;
  /** Bytes since someone waits. */
  #heard = 0;
  #waiting: ((items: readonly Item[]) => void) | null = null;

  /** @param idle gets what comes in while nobody waits */
  constructor(
    line: Duplex,
    codec: Codec<Item>,
    { timeoutMs, idle }: { timeoutMs: number; idle: (items: readonly Item[]) => void },
  ) {
    this.#line = line;
    this.#timeoutMs = timeoutMs;
    this.#idle = idle;
    line.on('data', (bytes: Buffer) => {
      this.#heard += bytes.length;
      this.#items.push(...codec.push(bytes));
      this.#grew = true;
      if (this.#isBurst) return;
      this.#isBurst = true;
      setImmediate(() => this.#endBurst());
    });
  }

  /**
   * Waits for a burst that `judge` makes something of.
   * @param ask sends a request
   * @param contested says why no answer was taken, or `null` where none came
   * @throws Failure `scale-silent` where nothing was made of anything in time, or `link-down`
   */
  until<T>(
    judge: (items: readonly Item[]) => T | null,
    { ask = () => undefined, contested }: { ask?: () => void; contested: () => T | null },
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(deadline);
        this.#line.off('close', closed);
        this.#waiting = null;
      };
      const closed = (): void => {
        end();
        reject(new Failure('link-down', 'the line was closed', { retry: 'later' }));
      };
      const deadline = setTimeout(() => {
        end();
        const instead = contested();
        if (instead === null) reject(this.#silence());
        else resolve(instead);
      }, this.#timeoutMs);
      this.#waiting = (items) => {
        const made = judge(items);
        if (made === null) return;
        end();
        resolve(made);
      };
      this.#heard = 0;
      this.#line.once('close', closed);
      if (this.#line.destroyed) closed();
      else ask();
    });
  }

  #silence(): Failure {
    const code = this.#line.destroyed ? 'link-down' : 'scale-silent';
    const instead =
      this.#heard === 0
        ? 'no answer'
        : `${this.#heard} bytes, but no answer among them (check protocol, speed and parity),`;
    return new Failure(code, `${instead} within ${this.#timeoutMs} ms`, { retry: 'later' });
  }

  /** More that is there already belongs to the same burst. */
  #endBurst(): void {
    if (this.#grew) {
      this.#grew = false;
      setImmediate(() => this.#endBurst());
      return;
    }
    this.#isBurst = false;
    const items = this.#items;
    this.#items = [];
    if (items.length === 0) return;
    if (this.#waiting === null) this.#idle(items);
    else this.#waiting(items);
  }
}
