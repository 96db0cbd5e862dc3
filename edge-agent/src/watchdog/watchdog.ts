import type { Clock } from '#shared/clock.ts';
import { SECOND_MS } from '#shared/units.ts';
import { stalledParts } from '../core/progress.ts';

/** Signs of life are no more frequent: each one starts a process. */
const SIGN_MS = 15 * SECOND_MS;

interface Part {
  readonly patienceMs: number;
  readonly isIdle: () => boolean;
  movedAt: number;
}

export interface WatchdogOptions {
  readonly clock: Clock;
  /** Called while everything moves. */
  readonly alive: () => void;
  readonly signMs?: number;
}

/**
 * Gives a sign of life when something has moved and nothing stands still: polling of every link,
 * committing, publishing. There is no timer: what does not move cannot make the agent look alive. A
 * cloud that is away is no reason to restart: its attempts to connect are what moves then.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #parts = new Map<string, Part>();
  #signedAt: number | null = null;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /**
   * Watches one more part, which counts as moved now.
   * @param part.patienceMs how long it may rest
   * @param part.isIdle whether it has nothing to do for now
   */
  watch(
    name: string,
    part: { readonly patienceMs: number; readonly isIdle?: (() => boolean) | undefined },
  ): void {
    const { patienceMs, isIdle = () => false } = part;
    this.#parts.set(name, { patienceMs, isIdle, movedAt: this.#options.clock.monotonicMs() });
  }

  forget(name: string): void {
    this.#parts.delete(name);
  }

  /** The part has done a piece of its work, or has tried to. */
  moved(name: string): void {
    const { clock, alive, signMs = SIGN_MS } = this.#options;
    const now = clock.monotonicMs();
    const part = this.#parts.get(name);
    if (part !== undefined) part.movedAt = now;
    if (this.#signedAt !== null && now - this.#signedAt < signMs) return;
    if (this.stalled().length > 0) return;
    this.#signedAt = now;
    alive();
  }

  stalled(): string[] {
    const parts = [...this.#parts].map(([name, { patienceMs, isIdle, movedAt }]) => {
      return { name, patienceMs, movedAt, isIdle: isIdle() };
    });
    return stalledParts(parts, this.#options.clock.monotonicMs());
  }
}
