import { Failure } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import type { Level } from './core/level.ts';
import { refused, report, startReporting, type Reporting } from './core/reporting.ts';
import type { Entry, Outbox } from './outbox/outbox.ts';

/**
 * Readings held in memory while the disk cannot be written; more are counted and end up in gap
 * records. About 4 hours of 40 bins with a heartbeat of a minute, 2 MB.
 */
const MOST_PENDING = 10_000;

export interface IntakeOptions {
  readonly outbox: Outbox;
  readonly log: Log;
  readonly heartbeatMs: number;
  /** Smallest step of every bin's display, mg. */
  readonly divisionsMg: ReadonlyMap<BinId, number>;
  /** Called with the readings of every commit. */
  readonly onCommit: (readings: readonly Reading[]) => void;
}

/** From settled levels to committed readings: reports by exception, and commits in groups. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #reporting = new Map<BinId, Reporting>();
  #pending: Entry[] = [];
  #isWritable = true;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const newest = options.outbox.newest();
    for (const bin of options.divisionsMg.keys()) {
      this.#reporting.set(bin, startReporting(newest.get(bin) ?? null));
    }
  }

  /** Readings taken and not yet committed. */
  get pending(): number {
    return this.#pending.length;
  }

  knows(bin: BinId): boolean {
    return this.#reporting.has(bin);
  }

  /** Device time of the bin's newest reading; 0 before the first. */
  newestAt(bin: BinId): number {
    return this.#reporting.get(bin)?.reported?.at ?? 0;
  }

  take(bin: BinId, level: Level, synced: boolean): void {
    const state = this.#reporting.get(bin);
    const division = this.#options.divisionsMg.get(bin);
    if (state === undefined || division === undefined) throw new Error(`${bin}: no such bin`);
    if (this.#pending.length >= MOST_PENDING) {
      this.#reporting.set(bin, refused(state));
      return;
    }
    const { heartbeatMs } = this.#options;
    const next = report(state, level, { division, heartbeatMs });
    this.#reporting.set(bin, next.state);
    if (next.report === null) return;
    const { level: reported, gap } = next.report;
    const { at, value, samples, spread, quality } = reported;
    this.#pending.push({
      reading: { bin, at, value, unit: 'mg', samples, spread, quality, synced },
      gap: gap === null ? null : { bin, ...gap },
      accountedTo: reported.accountedTo,
      unconfirmed: reported.unconfirmed,
    });
  }

  /**
   * Commits what is pending. Where the disk cannot be written it stays pending for the next time.
   * @returns whether all is committed
   * @throws Failure `outbox-corrupt`
   */
  commit(): boolean {
    const entries = this.#pending;
    if (entries.length === 0) return true;
    const { outbox, log, onCommit } = this.#options;
    try {
      outbox.append(entries);
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') throw error;
      if (this.#isWritable) log.error({ err: error }, 'readings are kept in memory for now');
      this.#isWritable = false;
      return false;
    }
    this.#pending = [];
    if (!this.#isWritable)
      log.info({ readings: entries.length }, 'the outbox can be written again');
    this.#isWritable = true;
    onCommit(entries.map(({ reading }) => reading));
    return true;
  }
}
