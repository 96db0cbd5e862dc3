import { isNeeded, isTrial, paused, startPausing, type Pausing } from '../core/pausing.ts';

/** A pause that is kept. */
export interface KeptPause {
  readonly ms: number;
  /** `tried`: since then all is well, and it is yet to be shown that it would not be without. */
  readonly source: 'configured' | 'learned' | 'tried';
}

/** The pause before a request, as configured, or else as experience teaches it. */
export class Pause {
  readonly #configuredMs: number | undefined;
  readonly #longestMs: number;
  #state: Pausing = startPausing;

  /** @param options.longestMs the longest pause that is tried, ms */
  constructor(options: { readonly configuredMs: number | undefined; readonly longestMs: number }) {
    this.#configuredMs = options.configuredMs;
    this.#longestMs = options.longestMs;
  }

  /** Before the next request. */
  get ms(): number {
    return this.#configuredMs ?? this.#state.nextMs;
  }

  /** Whether the next request comes too soon on purpose: that it fails is nobody's fault. */
  get isTrial(): boolean {
    return this.#configuredMs === undefined && isTrial(this.#state);
  }

  /** What came of the request before which the line paused for `ms`. */
  learn(answered: boolean): void {
    if (this.#configuredMs !== undefined) return;
    this.#state = paused(this.#state, answered, this.#longestMs);
  }

  /** `null` where there is none. */
  summary(): KeptPause | null {
    const ms = this.#configuredMs ?? this.#state.keptMs;
    if (ms === 0) return null;
    if (this.#configuredMs !== undefined) return { ms, source: 'configured' };
    return { ms, source: isNeeded(this.#state) ? 'learned' : 'tried' };
  }
}
