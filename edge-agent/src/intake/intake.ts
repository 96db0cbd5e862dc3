import { Failure } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import type { ReadingUnit } from '#shared/units.ts';
import type { BinConfig } from '../configuration/config.ts';
import type { Level } from '../core/level.ts';
import type { ClockSegment, Moved, Stamp } from '../core/device-clock.ts';
import { report, startReporting, type Reported, type Reporting } from '../core/reporting.ts';
import { movedTo, placedAfter, withoutOldest } from '../core/ring.ts';
import type { Entry } from '../outbox/entry.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** What an entry takes in memory, by heap snapshots: two objects, and their share of the array. */
const ENTRY_BYTES = 256;

export interface IntakeOptions {
  readonly outbox: Outbox;
  readonly log: Log;
  readonly heartbeatMs: number;
  /** What every bin is counted in. */
  readonly bins: ReadonlyMap<BinId, Pick<BinConfig, 'unit' | 'division'>>;
  /** What is kept in memory while the disk cannot be written. */
  readonly ramBytes: number;
  /** Called with the readings of every commit. */
  readonly onCommit: (readings: readonly Reading[]) => void;
}

interface Clocked {
  /** Which clock stamped it; null where not this device's. */
  readonly segment: ClockSegment | null;
}

/** From settled levels to committed readings: reports by exception, and commits in groups. */
export class Intake {
  #options: IntakeOptions;
  readonly #reporting = new Map<BinId, Reporting>();
  #pending: Entry[] = [];
  /** Why the last commit could not be made; null where it could. */
  #fault: string | null = null;
  #lost = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#startReporting();
  }

  /**
   * Goes on with other bins or another heartbeat. What is pending stays, also of a bin that goes;
   * one that comes goes on from its newest reading of ever.
   */
  reconfigure(settings: Pick<IntakeOptions, 'bins' | 'heartbeatMs'>): void {
    this.#options = { ...this.#options, ...settings };
    for (const bin of this.#reporting.keys()) {
      if (!settings.bins.has(bin)) this.#reporting.delete(bin);
    }
    const added = [...settings.bins.keys()].filter((bin) => !this.#reporting.has(bin));
    if (added.length > 0) this.#startReporting(added);
  }

  /** Readings taken and not yet committed. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Why readings do not reach the disk, null where they do, and how many gave way in memory since. */
  get disk(): { readonly fault: string | null; readonly lost: number } {
    return { fault: this.#fault, lost: this.#lost };
  }

  /** What the bin's readings are counted in; `undefined` for a bin that is not of this agent. */
  unitOf(bin: BinId): ReadingUnit | undefined {
    return this.#options.bins.get(bin)?.unit;
  }

  /** Device time of the bin's newest reading; 0 before the first. */
  newestAt(bin: BinId): number {
    return this.#reporting.get(bin)?.reported?.at ?? 0;
  }

  /** The bin's newest reading, on disk or not; `null` before the first. */
  newest(bin: BinId): Pick<Reading, 'at' | 'value' | 'unit' | 'quality'> | null {
    const reported = this.#reporting.get(bin)?.reported ?? null;
    const unit = this.unitOf(bin);
    if (reported === null || unit === undefined) return null;
    const { at, value, quality } = reported;
    return { at, value, unit, quality };
  }

  take(bin: BinId, level: Level, stamp: Omit<Stamp, 'at' | 'segment'> & Clocked): void {
    const state = this.#reporting.get(bin);
    const counted = this.#options.bins.get(bin);
    if (state === undefined || counted === undefined) throw new Error(`${bin}: no such bin`);
    const { unit, division } = counted;
    const { heartbeatMs } = this.#options;
    const next = report(state, level, { division, heartbeatMs });
    this.#reporting.set(bin, next.state);
    if (next.report === null) return;
    const { level: reported, gap } = next.report;
    const { at, value, samples, spread, quality } = reported;
    this.#pending.push({
      reading: { bin, at, value, unit, samples, spread, quality, synced: stamp.synced },
      gap: gap === null ? null : { bin, ...gap },
      accountedTo: reported.accountedTo,
      unconfirmed: reported.unconfirmed,
      clock: stamp.segment,
    });
    const most = Math.max(1, Math.floor(this.#options.ramBytes / ENTRY_BYTES));
    if (this.#pending.length <= most) return;
    const { kept, lost } = withoutOldest(this.#pending, Math.ceil(most / 4));
    if (this.#lost === 0) {
      this.#options.log.error({ lost }, 'memory is full as well: oldest readings go');
    }
    this.#pending = kept;
    this.#lost += lost;
  }

  /** Readings that wait for the disk, oldest first. */
  get waiting(): readonly Reading[] {
    return this.#pending.map(({ reading }) => reading);
  }

  /**
   * Commits what is pending, and shifts what a clock stamped to the true time.
   * @returns the shift, and the newest time then on record; null where the disk does not allow it now
   */
  restamp(from: ClockSegment, to: ClockSegment): { shiftMs: number; newestAt: number } | null {
    const { outbox } = this.#options;
    const shifted = this.commit() ? unlessUnwritable(() => outbox.shift(from, to)) : null;
    if (shifted !== null) {
      this.#startReporting();
      return shifted;
    }
    if (outbox.hasStamped(from)) return null;
    const first = this.#pending.find(({ clock }) => clock?.offsetMs === from.offsetMs)?.reading.at;
    const exact = to.offsetMs - from.offsetMs;
    const shiftMs = Math.max(exact, first === undefined ? exact : outbox.newestAt + 1 - first);
    this.#pending = movedTo(this.#pending, { from, to, shiftMs });
    this.#startReporting();
    return { shiftMs, newestAt: this.#pending.at(-1)?.reading.at ?? outbox.newestAt };
  }

  /**
   * Commits what is pending, and has the outbox begin a new stretch of time.
   * @returns the newest time then on record; null where the disk does not allow it now
   */
  turnBack(to: ClockSegment, nowMs: number): { newestAt: number } | null {
    const { outbox, log } = this.#options;
    const lost = this.commit() ? unlessUnwritable(() => outbox.turnBack(to, nowMs)) : null;
    if (lost === null) return null;
    if (lost > 0) log.error({ lost }, 'readings of an earlier boot have no time any more: dropped');
    this.#startReporting();
    return { newestAt: outbox.newestAt };
  }

  /**
   * Commits what is pending to an outbox that could not be written until now, and goes on from there.
   * @param moved how times were moved for what is on record to come before them
   */
  resume(moved: Moved): void {
    const { outbox } = this.#options;
    this.#pending = placedAfter(movedTo(this.#pending, moved), outbox.newest());
    this.commit();
    this.#startReporting();
  }

  /** Reporting goes on from the newest of each bin, be it on disk or in memory. */
  #startReporting(bins: Iterable<BinId> = this.#options.bins.keys()): void {
    const newest = new Map<BinId, Reported>(this.#options.outbox.newest());
    for (const { reading, accountedTo, unconfirmed } of this.#pending) {
      const { bin, at, value, samples, spread, quality } = reading;
      newest.set(bin, { at, value, samples, spread, quality, accountedTo, unconfirmed });
    }
    for (const bin of bins) {
      this.#reporting.set(bin, startReporting(newest.get(bin) ?? null));
    }
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
      if (this.#fault === null) log.error({ err: error }, 'readings are kept in memory for now');
      this.#fault = error.message;
      return false;
    }
    this.#pending = [];
    if (this.#fault !== null)
      log.info({ readings: entries.length }, 'the outbox can be written again');
    this.#fault = null;
    this.#lost = 0;
    onCommit(entries.map(({ reading }) => reading));
    return true;
  }
}

/** @returns null where the disk cannot be written now */
function unlessUnwritable<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof Failure && error.retry !== 'never') return null;
    throw error;
  }
}
