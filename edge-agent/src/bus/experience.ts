import type { Failure } from '#shared/failure.ts';
import { errorKindOf, noErrors, type SlaveSnapshot } from './snapshot.ts';
import { LatencyRing } from '../core/latency.ts';
import { Pause } from './pause.ts';

/** The longest pause before a request that is tried: a slave with its own scale to look after. */
const LONGEST_PAUSE_MS = 500;

/** What is learned of a slave; it outlives the line. */
export class Experience {
  readonly pause: Pause;
  readonly #latency = new LatencyRing();
  readonly #errors = noErrors();
  #reads = 0;
  #lastError: string | null = null;

  /** @param options.pauseMs as configured; `undefined` where it is to be learned */
  constructor({ pauseMs }: { readonly pauseMs: number | undefined }) {
    this.pause = new Pause({ configuredMs: pauseMs, longestMs: LONGEST_PAUSE_MS });
  }

  /** Reads so far, answered or not. */
  get reads(): number {
    return this.#reads;
  }

  /** Slowest of the latest answers, ms; `null` where there are too few to tell. */
  get slowestMs(): number | null {
    return this.#latency.slowestMs;
  }

  answered(ms: number): void {
    this.#reads += 1;
    this.#latency.add(ms);
    this.pause.learn(true);
  }

  /** A read that came too soon on purpose has not failed. Without a line nobody could answer. */
  failed(failure: Failure): void {
    if (failure.code !== 'link-down') {
      const { isTrial } = this.pause;
      this.pause.learn(false);
      if (isTrial) return;
    }
    this.#reads += 1;
    this.#errors[errorKindOf(failure)] += 1;
    this.#lastError = failure.message;
  }

  summary(): Pick<SlaveSnapshot<unknown>, 'latency' | 'reads' | 'errors' | 'lastError' | 'pause'> {
    return {
      latency: this.#latency.summary(),
      reads: this.#reads,
      errors: { ...this.#errors },
      lastError: this.#lastError,
      pause: this.pause.summary(),
    };
  }
}
