import { Failure } from '#shared/failure.ts';
import type { ClockSegment } from '../core/device-clock.ts';
import type { Bins } from './bins.ts';
import type { Clocks } from './clocks.ts';
import type { Disk } from './disk.ts';
import type { StoreRow } from './store-row.ts';

/** With a backlog larger than this, batches are sealed ahead, and one fsync serves many of them. */
const AHEAD_FROM_ROWS = 20_000;
const AHEAD_BATCHES = 32;

interface SealingOptions {
  readonly disk: Disk;
  readonly store: StoreRow;
  readonly bins: Bins;
  readonly clocks: Clocks;
}

/** The table `batches`: which rows are one message, until a receipt lets them go. */
export class Sealing {
  readonly #options: SealingOptions;
  /** Newest batch. */
  #sealed = 0;
  /** Newest row that is part of a batch. */
  #lastRow = 0;
  #held: ClockSegment | null = null;
  #limitAt = Infinity;
  /** Readings that were receipted while the disk could not be written. */
  #trimDue = 0;

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  load(): void {
    const { disk, store } = this.#options;
    const [batch] = disk.statements.newestBatch.all();
    this.#sealed = Number(batch?.['seq'] ?? store.now.receipted);
    this.#lastRow = Number(batch?.['last_row'] ?? this.#rowBeforeOldest());
    this.#trimDue = 0;
  }

  #rowBeforeOldest(): number {
    const { disk, store } = this.#options;
    return (Number(disk.statements.oldestRow.get()?.['row'] ?? 0) || store.now.nextRow) - 1;
  }

  get sealed(): number {
    return this.#sealed;
  }

  get lastRow(): number {
    return this.#lastRow;
  }

  /** Receipted readings that are still on disk. */
  get trimDue(): number {
    return this.#trimDue;
  }

  /** Whether rows wait to be sealed, and not for the right time. */
  get hasUnsealed(): boolean {
    return this.#lastToSeal() > this.#lastRow;
  }

  /** @param segment readings it stamped wait for the true time and are not sealed; null for none */
  hold(segment: ClockSegment | null): void {
    this.#held = segment;
  }

  /** @param limitAt readings further ahead than this wait, since the cloud would refuse them */
  limit(limitAt: number): void {
    this.#limitAt = limitAt;
  }

  #lastToSeal(): number {
    const { store, clocks } = this.#options;
    const held = this.#held === null ? null : clocks.firstRow(this.#held);
    return Math.min(store.now.nextRow, held ?? Infinity, this.#firstAhead() ?? Infinity) - 1;
  }

  #firstAhead(): number | null {
    const { disk, bins } = this.#options;
    if (bins.newestAt <= this.#limitAt) return null;
    const found = disk.guarded(() => disk.statements.firstAhead.get(this.#lastRow, this.#limitAt));
    return found === undefined ? null : Number(found['row']);
  }

  /** See {@link Outbox.seal}. */
  seal(batches: number, size: number): void {
    const end = this.#lastToSeal();
    if (batches < 1 || end <= this.#lastRow) return;
    const { disk } = this.#options;
    const isLarge = end - this.#lastRow >= AHEAD_FROM_ROWS;
    const most = isLarge ? Math.max(batches, AHEAD_BATCHES) : batches;
    let seq = this.#sealed;
    let last = this.#lastRow;
    disk.transaction(() => {
      for (let count = 0; count < most && last < end; count += 1) {
        const full = disk.statements.nthUnsealed.get(last, end, size - 1);
        const row = Number(full?.['row'] ?? end);
        seq += 1;
        disk.statements.addBatch.run(seq, last + 1, row);
        last = row;
      }
    });
    this.#sealed = seq;
    this.#lastRow = last;
  }

  /** @returns the rows of a batch that was not receipted yet, first and last */
  rowsOf(seq: number): readonly [first: number, last: number] {
    const range = this.#options.disk.statements.batch.get(seq);
    if (range === undefined) throw new Error(`batch ${seq} is not in the outbox`);
    return [Number(range['first_row']), Number(range['last_row'])];
  }

  /** Takes every batch apart; to be called in a transaction, and to be loaded anew after it. */
  unseal(): void {
    this.#options.disk.statements.trimBatches.run(this.#sealed);
  }

  /** See {@link Outbox.trim}. */
  trim(upTo: number): void {
    const { disk, store } = this.#options;
    if (upTo <= store.now.receipted || upTo > this.#sealed) return;
    const last = Number(disk.statements.batch.get(upTo)?.['last_row'] ?? 0);
    try {
      store.commit(() => this.#remove(upTo, last), 'lazily');
      this.#trimDue = 0;
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') throw error;
      this.#trimDue = Number(disk.statements.countTo.get(last)?.['count'] ?? 0);
      store.note(upTo);
    }
  }

  #remove(upTo: number, last: number): { receipted: number; readings: number } {
    const readings = this.removeRows(last);
    this.#options.disk.statements.trimBatches.run(upTo);
    return { receipted: upTo, readings };
  }

  /** Removes all rows up to this one, which the cloud has. @returns how many readings stay */
  removeRows(last: number): number {
    const { disk, store, clocks } = this.#options;
    clocks.raiseFloor(last);
    const trimmed = Number(disk.statements.trimReadings.run(last).changes);
    disk.statements.trimGaps.run(last);
    return store.now.readings - trimmed;
  }
}
