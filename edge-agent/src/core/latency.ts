/** Times of the latest answers of one slave, ms. */
export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** So many answers are remembered: two minutes at 1 Hz, and a 99th percentile that is not the last. */
const REMEMBERED = 128;

/** Fewer answers than this are no experience. */
const FEWEST = 8;

/** A ring of the latest answer times; sorted only when asked. */
export class LatencyRing {
  readonly #times: number[] = [];
  #next = 0;
  #slowest = 0;

  add(ms: number): void {
    this.#times[this.#next] = ms;
    this.#next = (this.#next + 1) % REMEMBERED;
    // Once a round the maximum forgets what has left the ring.
    this.#slowest = this.#next === 0 ? Math.max(...this.#times) : Math.max(this.#slowest, ms);
  }

  /** Slowest of the latest answers; `null` where there are too few to tell. */
  get slowestMs(): number | null {
    return this.#times.length < FEWEST ? null : this.#slowest;
  }

  /** `null` before the first answer. */
  summary(): Latency | null {
    if (this.#times.length === 0) return null;
    const sorted = this.#times.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99), slowestMs: sorted.at(-1) ?? 0 };
  }
}

/** Length of one part of the time that a share is measured over, and how many parts that is. */
const PART_MS = 5_000;
const PARTS = 12;

/** Which share of the last minute something was busy. Instants are monotonic milliseconds. */
export class BusyShare {
  readonly #parts = new Map<number, number>();
  readonly #since: number;

  constructor(since: number) {
    this.#since = since;
  }

  /** Adds a stretch; it counts to the part that it ends in. */
  add(from: number, to: number): void {
    const part = Math.floor(to / PART_MS);
    this.#parts.set(part, (this.#parts.get(part) ?? 0) + to - from);
    for (const old of this.#parts.keys()) if (old <= part - PARTS) this.#parts.delete(old);
  }

  /** 0 to 1; `null` where nothing is known yet. */
  at(now: number): number | null {
    const oldest = Math.max(this.#since, (Math.floor(now / PART_MS) - PARTS + 1) * PART_MS);
    if (now <= oldest) return null;
    let busy = 0;
    for (const [part, ms] of this.#parts) if ((part + 1) * PART_MS > oldest) busy += ms;
    return Math.min(1, busy / (now - oldest));
  }
}
