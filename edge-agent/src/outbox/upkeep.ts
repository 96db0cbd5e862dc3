import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { HOUR_MS, MINUTE_MS } from '#shared/units.ts';
import { budgetBytes, enduranceHours, type Room } from '../core/quota.ts';
import type { Outbox } from './outbox.ts';
import type { Quota } from './quota.ts';

export interface UpkeepOptions {
  readonly outbox: Outbox;
  readonly quota: Quota;
  readonly log: Log;
  /** Free bytes of the disk that the outbox lies on. */
  readonly diskFreeBytes: () => number;
  readonly monotonicMs: () => number;
  /** Device time, ms since 1970 UTC; null while nobody knows it, and nothing is too old. */
  readonly trustedAt: () => number | null;
}

/** Of the disk that a folder lies on, or would lie on where it could not be made. */
export const freeBytesOf = (folder: string) => (): number => {
  let place = resolve(folder);
  while (!existsSync(place) && place !== dirname(place)) place = dirname(place);
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize;
};

/** What a reading takes in the file: `npm run bench -- outbox`, `reading_bytes`. */
export const READING_BYTES = 32;

/** Thinning begins at this share of the budget, early enough to be done before it is used up. */
const THIN_FROM = 0.8;
const THIN_TO = 0.75;

/** From gentle to harsh: only when one is through the whole outbox does the next begin. */
const PASSES = [
  ...([1, 4, 16, 64] as const).map((minutes) => ({ minutes, keep: 'ends' as const })),
  ...([4, 16, 64] as const).map((minutes) => ({ minutes, keep: 'extremes' as const })),
];

/** Thinned stretches in one go, and readings dropped in one: half a second of work at most. */
const MOST_STRETCHES = 8;
const MOST_DROPS = 10_000;

/** Free pages worth giving back, and how many in one go: 8 MiB take some 50 ms. */
const VACUUM_FROM_BYTES = 4_194_304;
const VACUUM_PAGES = 2_048;

/** Rates are of the last hour, in counts of five minutes. */
const RATE_SLOT_MS = 5 * MINUTE_MS;
const RATE_SLOTS = 12;

export interface UpkeepState extends Room {
  readonly quotaBytes: number;
  /** Hours of outage that still fit at the rate of the last hour; null before it is known. */
  readonly enduranceHours: number | null;
  /** Readings since the start that gave way, all of them in gap records. */
  readonly thinned: number;
  readonly dropped: number;
}

/** Keeps the outbox within its quotas: thins, drops what is left over, and shrinks the file. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #pass = 0;
  #from = 0;
  #after = 0;
  #isThinning = false;
  #isExhausted = false;
  #isBroken = false;
  #thinned = 0;
  #dropped = 0;
  #arrivals: { readonly slot: number; count: number }[] = [];
  readonly #startedAtMs: number;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#startedAtMs = options.monotonicMs();
  }

  /** @param readings how many were just committed */
  count(readings: number): void {
    const slot = Math.floor(this.#options.monotonicMs() / RATE_SLOT_MS);
    const newest = this.#arrivals.at(-1);
    if (newest?.slot === slot) newest.count += readings;
    else this.#arrivals.push({ slot, count: readings });
    this.#arrivals = this.#arrivals.filter((each) => each.slot > slot - RATE_SLOTS);
  }

  /**
   * To be called every second or so.
   * @throws Failure `outbox-corrupt`
   */
  tick(): void {
    try {
      const room = this.#room();
      const budget = budgetBytes(room, this.#options.quota);
      this.#dropAged();
      this.#thin(budget);
      this.#drop(budget);
      this.#shrink(room);
      this.#isBroken = false;
    } catch (error) {
      if (error instanceof Failure && error.retry === 'never') throw error;
      if (!this.#isBroken) this.#options.log.error({ err: error }, 'no upkeep of the outbox now');
      this.#isBroken = true;
    }
  }

  state(): UpkeepState {
    const { quota, monotonicMs, outbox } = this.#options;
    const room = this.#room();
    const spanMs = Math.min(monotonicMs() - this.#startedAtMs, RATE_SLOTS * RATE_SLOT_MS);
    const arrived = this.#arrivals.reduce((sum, { count }) => sum + count, 0);
    const readingsPerHour = spanMs < MINUTE_MS ? 0 : (arrived * HOUR_MS) / spanMs;
    const isLarge = outbox.backlog > 100_000;
    const bytesPerReading = isLarge ? room.usedBytes / outbox.backlog : READING_BYTES;
    return {
      ...room,
      quotaBytes: budgetBytes(room, quota),
      enduranceHours: enduranceHours(room, quota, { readingsPerHour, bytesPerReading }),
      thinned: this.#thinned,
      dropped: this.#dropped,
    };
  }

  #room(): Room {
    const { outbox, diskFreeBytes } = this.#options;
    return { ...outbox.shrinking.usage(), diskFreeBytes: diskFreeBytes() };
  }

  #dropAged(): void {
    const { outbox, quota, trustedAt } = this.#options;
    const now = trustedAt();
    if (now === null) return;
    const beforeMs = now - quota.maxAgeMs;
    const oldest = outbox.oldestUnsealedAt();
    if (oldest !== null && oldest < beforeMs)
      this.#noteDrop(outbox.shrinking.drop(MOST_DROPS, beforeMs));
  }

  #thin(budget: number): void {
    const { outbox, log } = this.#options;
    const share = (): number => outbox.shrinking.usage().usedBytes / budget;
    const used = share();
    if (used <= THIN_TO / 2) this.#startPasses(0);
    if (!this.#isThinning && used > THIN_FROM) {
      this.#isThinning = true;
      log.warn(
        { usedBytes: outbox.shrinking.usage().usedBytes, budget },
        'the outbox fills: it is thinned',
      );
    }
    for (let turn = 0; this.#isThinning && turn < MOST_STRETCHES; turn += 1) {
      this.#thinOnce();
      if (share() < THIN_TO) this.#isThinning = false;
      else if (this.#isExhausted) return;
    }
  }

  #thinOnce(): void {
    const { outbox } = this.#options;
    const pass = PASSES[this.#pass];
    if (pass === undefined) {
      // What came since then may be thinned from the first pass on.
      this.#isExhausted = true;
      this.#startPasses(this.#after);
      return;
    }
    const spacingMs = pass.minutes * MINUTE_MS;
    const { thinned, last } = outbox.shrinking.thin({
      after: this.#after,
      spacingMs,
      keep: pass.keep,
    });
    this.#thinned += thinned;
    if (last !== null) this.#after = last;
    else {
      this.#pass += 1;
      if (this.#pass < PASSES.length) this.#after = this.#from;
    }
  }

  #startPasses(from: number): void {
    this.#pass = 0;
    this.#from = from;
    this.#after = from;
    if (from === 0) this.#isExhausted = false;
  }

  /** Only where thinning is through, or too slow for what comes in. */
  #drop(budget: number): void {
    const { outbox, quota } = this.#options;
    for (let turn = 0; turn < MOST_STRETCHES; turn += 1) {
      const over = outbox.shrinking.usage().usedBytes - budget;
      const isTooSlow = outbox.shrinking.usage().usedBytes > quota.maxBytes;
      if (over <= 0 || !(this.#isExhausted || isTooSlow)) return;
      const most = Math.min(MOST_DROPS, Math.ceil(over / READING_BYTES) + MOST_DROPS / 10);
      const dropped = outbox.shrinking.drop(most, Infinity);
      if (dropped === 0) return;
      this.#noteDrop(dropped);
    }
  }

  #noteDrop(dropped: number): void {
    const { log } = this.#options;
    if (this.#dropped === 0) log.error({ dropped }, 'the outbox is full: oldest readings go');
    this.#dropped += dropped;
  }

  #shrink({ usedBytes, freeBytes, diskFreeBytes }: Room): void {
    const { outbox, quota } = this.#options;
    const isWorth = freeBytes > usedBytes / 2 || diskFreeBytes < quota.minFreeBytes;
    if (freeBytes >= VACUUM_FROM_BYTES && isWorth) outbox.shrinking.vacuum(VACUUM_PAGES);
  }
}
