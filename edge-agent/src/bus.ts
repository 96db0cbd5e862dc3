import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { backoffMs } from './core/backoff.ts';
import type { ScaleRead } from './core/scale-read.ts';
import { nextPoll, polled, startTurn, type Turn } from './core/turns.ts';
import type { ScaleDriver, ScaleSession } from './scale/port.ts';

const RECONNECT = { firstMs: 500, mostMs: 30_000 };

/** A line that worked for so long was a good one: the next pause is short again. */
const HEALTHY_MS = 60_000;

/**
 * Silence of everybody for so many reads in a row is the line's fault: a converter that hangs, or a
 * client that lost count of a reply's length (node-modbus-serial#624). A new line mends both.
 */
const SILENT_LINE = 3;

export interface BusOptions<Scale> {
  readonly name: string;
  readonly driver: ScaleDriver<NoInfer<Scale>>;
  readonly scales: readonly Scale[];
  readonly clock: Clock;
  readonly log: Log;
  readonly onRead: (scale: Scale, read: ScaleRead) => void;
}

/**
 * The only one who speaks on a physical line: first come, first served, one request at a time,
 * whoever of the slaves is due. A slave that is silent is asked less and less often, so that it
 * costs the others little.
 */
export class Bus<Scale extends { readonly pollMs: number }> {
  readonly #options: BusOptions<Scale>;
  readonly #stopping = new AbortController();
  #turns: readonly Turn<Scale>[];
  #session: ScaleSession<Scale> | null = null;
  #done: Promise<void> | null = null;
  #isDown = false;

  constructor(options: BusOptions<Scale>) {
    this.#options = options;
    this.#turns = options.scales.map((scale) => startTurn(scale, scale.pollMs));
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Breaks off whatever is waited for; may be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#session?.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    let failures = 0;
    while (!this.#isStopping) {
      try {
        this.#session = await this.#options.driver.open();
        const openedAt = clock.monotonicMs();
        const fault = await this.#poll(this.#session);
        if (this.#isStopping) return;
        if (clock.monotonicMs() - openedAt >= HEALTHY_MS) failures = 0;
        this.#says(fault);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (this.#isStopping) return;
        this.#says(error.message);
        this.#allFailed(error.message);
      } finally {
        this.#session?.close();
        this.#session = null;
      }
      await this.#pause(backoffMs(failures, Math.random(), RECONNECT));
      failures += 1;
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Reads whoever is due, until the line fails or is stopped; @returns what failed */
  async #poll(session: ScaleSession<Scale>): Promise<string> {
    const { clock, onRead } = this.#options;
    let silent = 0;
    while (!this.#isStopping) {
      const { turn, waitMs } = nextPoll(this.#turns, clock.monotonicMs());
      if (waitMs > 0) {
        await this.#pause(waitMs);
        continue;
      }
      try {
        const read = await session.read(turn.scale);
        silent = 0;
        this.#says(null);
        this.#turned(turn, true);
        onRead(turn.scale, read);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (this.#isStopping) break;
        this.#turned(turn, false);
        onRead(turn.scale, { ok: false, quality: 'comm-error', why: error.message });
        silent += 1;
        if (error.code === 'link-down') return error.message;
        if (silent >= SILENT_LINE) return 'nobody answers';
        await session.drain();
      }
    }
    return 'stopped';
  }

  #turned(turn: Turn<Scale>, answered: boolean): void {
    const after = polled(turn, answered, this.#options.clock.monotonicMs());
    this.#turns = this.#turns.map((other) => (other === turn ? after : other));
  }

  /** Without a line nobody can be read: all who are due say so. */
  #allFailed(why: string): void {
    const now = this.#options.clock.monotonicMs();
    for (const turn of this.#turns.filter(({ dueAt }) => dueAt <= now)) {
      this.#turned(turn, false);
      this.#options.onRead(turn.scale, { ok: false, quality: 'comm-error', why });
    }
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#stopping.signal });
    } catch (error) {
      if (!this.#isStopping) throw error;
    }
  }

  /** Changes of the line's state, not every attempt. */
  #says(fault: string | null): void {
    const { log, name } = this.#options;
    if (fault === null && this.#isDown) log.info({ link: name }, 'the link is up again');
    if (fault !== null && !this.#isDown) log.warn({ link: name, fault }, 'the link is down');
    this.#isDown = fault !== null;
  }
}
