import type { BinId, Epoch } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Batch } from '#shared/wire/batch.ts';
import type { ClockSegment } from '../core/device-clock.ts';
import type { Reported } from '../core/reporting.ts';
import { Bins } from './bins.ts';
import { Clocks } from './clocks.ts';
import { unknownLosses, type SetAside } from './damage.ts';
import { Disk, type DiskOptions } from './disk.ts';
import { prepare, write, writeGap, type Entry } from './entry.ts';
import { readingFrom, type StoredRow } from './rows.ts';
import { salvage } from './salvage.ts';
import { Sealing } from './sealing.ts';
import { Shrinking } from './shrinking.ts';
import type { GapRow } from './statements.ts';
import { newEpoch, StoreRow } from './store-row.ts';
import { TurnBack } from './turn-back.ts';

/**
 * What was measured and is not receipted yet, on disk. Whatever a call has returned from survives a
 * kill or a power cut (WAL with `synchronous = FULL`). Only ranges of rows are ever in memory.
 */
export class Outbox {
  /** What makes room in it. */
  readonly shrinking: Shrinking;
  readonly #disk: Disk;
  readonly #store: StoreRow;
  readonly #bins: Bins;
  readonly #clocks: Clocks;
  readonly #sealing: Sealing;
  #setAside: SetAside | null = null;

  /** @throws Failure `outbox-unwritable` unless it `waits`, or `outbox-newer` */
  constructor(folder: string, options: { stamp: string } & Partial<DiskOptions>) {
    const disk = new Disk({ waits: false, shut: null, bins: [], ...options, folder });
    const [store, bins, clocks] = [new StoreRow(disk), new Bins(disk), new Clocks(disk)];
    this.#disk = disk;
    this.#store = store;
    this.#bins = bins;
    this.#clocks = clocks;
    this.#sealing = new Sealing({ disk, store, bins, clocks });
    const sealedRow = (): number => this.#sealing.lastRow;
    this.shrinking = new Shrinking({ disk, store, bins, clocks, sealedRow });
    this.#load();
    this.#settle();
  }

  /** Why nothing can be written since it was opened; null where it can. */
  get fault(): string | null {
    return this.#disk.fault;
  }

  /** Where a corrupt predecessor was set aside, and how much of it was saved, for the operator. */
  get setAside(): SetAside | null {
    return this.#setAside;
  }

  /** Pages of the journal that were damaged, so that commits may be lost; for the operator. */
  get lostPages(): number {
    return this.#disk.found.lostPages;
  }

  /**
   * Opens what could only be waited for. What it holds may be other than was known until then, but
   * for receipts that came meanwhile.
   * @returns whether it can be written from now on, and could not before
   * @throws Failure `outbox-newer`, or where it cannot be written after all
   */
  reopen(): boolean {
    const { epoch, progress } = this;
    if (!this.#disk.reopen()) return false;
    this.#load();
    this.#settle();
    if (epoch === this.epoch) this.trim(progress.receipted);
    return true;
  }

  #load(): void {
    this.#store.load();
    this.#clocks.load();
    this.#bins.load();
    this.#sealing.load();
  }

  /** Begins a new store, and takes over what is left of a damaged one. */
  #settle(): void {
    if (this.#disk.access !== 'write') return;
    if (!this.#store.isStored) this.#store.commit(() => ({}));
    const append = (entries: readonly Entry[]): void => this.append(entries);
    const record = (gaps: readonly Gap[]): void => this.record(gaps);
    const { setAside, lostPages, writtenAt } = this.#disk.found;
    this.#setAside = setAside && { ...setAside, ...salvage(setAside.file, { append, record }) };
    const isNewestLost = lostPages > 0;
    if (setAside === null && !isNewestLost) return;
    this.record(
      unknownLosses(this.#bins.rows(), { bins: this.#disk.bins, isNewestLost, writtenAt }),
    );
  }

  get epoch(): Epoch {
    return this.#store.now.epoch;
  }

  /** Readings that were not receipted yet. */
  get backlog(): number {
    return this.#store.now.readings - this.#sealing.trimDue;
  }

  /** Whether rows wait to be sealed, and not for the right time. */
  get hasUnsealed(): boolean {
    return this.#sealing.hasUnsealed;
  }

  get progress(): { readonly receipted: number; readonly sealed: number } {
    return { receipted: this.#store.now.receipted, sealed: this.#sealing.sealed };
  }

  /** The newest reading of every bin ever appended. */
  newest(): ReadonlyMap<BinId, Reported> {
    return this.#bins.newest();
  }

  /** Newest device time on record, of any bin; 0 for none. */
  get newestAt(): number {
    return this.#bins.newestAt;
  }

  /** Whether anything on record was stamped by it. */
  hasStamped(segment: ClockSegment): boolean {
    return this.#clocks.firstRow(segment) !== null;
  }

  /** Stretches of time that were stamped by this device's clock and not shifted since. */
  get clocks(): readonly ClockSegment[] {
    return this.#clocks.segments;
  }

  /**
   * Commits all entries or none.
   * @throws Failure `outbox-unwritable`, after which the same entries may be tried again
   */
  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    const { nextRow: row, readings } = this.#store.now;
    const prepared = prepare(entries, { row, bins: this.#bins, clocks: this.#clocks });
    this.#store.commit(() => {
      this.#clocks.add(prepared.clocks);
      write(prepared, this.#disk.statements);
      return { nextRow: prepared.nextRow, readings: readings + entries.length };
    });
    this.#clocks.keep(prepared.clocks);
    for (const { known } of prepared.newest.values()) this.#bins.keep(known);
  }

  /**
   * Commits gap records that no reading carries.
   * @throws Failure `outbox-unwritable`
   */
  record(gaps: readonly Gap[]): void {
    if (gaps.length === 0) return;
    this.#store.commit(() => ({ nextRow: this.#addGaps(gaps) }));
  }

  /** @returns the row after them */
  #addGaps(gaps: readonly Gap[]): number {
    const { nextRow } = this.#store.now;
    for (const [n, gap] of gaps.entries()) writeGap(this.#disk.statements, nextRow + n, gap);
    return nextRow + gaps.length;
  }

  /**
   * Seals unsealed rows into at most `batches` batches of at most `size` readings. A sealed batch
   * never changes, so that it can be sent again as it was. With a large backlog more are sealed.
   */
  seal(batches: number, size: number): void {
    this.#sealing.seal(batches, size);
  }

  /** @param limitAt readings further ahead than this wait, since the cloud would refuse them */
  limit(limitAt: number): void {
    this.#sealing.limit(limitAt);
  }

  /** @param segment readings it stamped wait for the true time and are not sealed; null for none */
  hold(segment: ClockSegment | null): void {
    this.#sealing.hold(segment);
  }

  /** @returns a sealed batch that was not receipted yet */
  batch(seq: number): Batch {
    const { epoch, receipted } = this.#store.now;
    const { statements } = this.#disk;
    return this.#disk.guarded(() => {
      const [first, last] = this.#sealing.rowsOf(seq);
      const rows = statements.readings.all(first, last) as unknown as StoredRow[];
      const gaps = statements.gaps.all(first, last) as unknown as GapRow[];
      return {
        epoch,
        seq,
        oldest: receipted + 1,
        readings: rows.map((row) => this.#readingOf(row)),
        gaps: gaps.map(({ bin, from_ms: from, to_ms: to, count, why }) => {
          return { bin, from, to, count, why };
        }),
      };
    });
  }

  #readingOf(row: StoredRow): Reading {
    const [number, bin, , , , , , clock] = row;
    const reading = readingFrom(row, this.#bins.byId(bin), this.#clocks.shiftAt(clock, number));
    if (reading === null) throw this.#disk.damaged(`row ${number}`);
    return reading;
  }

  /**
   * Forgets every batch up to a receipted one. Without an fsync of its own: a trim that a power cut
   * undoes is done again after the batches were sent and receipted once more. Where the disk cannot
   * be written they are forgotten in memory only, and on disk with the next receipt that finds it so.
   */
  trim(upTo: number): void {
    this.#sealing.trim(upTo);
  }

  /**
   * Shifts what a clock stamped and what is not sealed yet by the difference to the true time. The
   * shift is less where times would otherwise not come after those that are sealed or older.
   * @returns the shift, ms, and the newest device time then on record
   */
  shift(from: ClockSegment, to: ClockSegment): { shiftMs: number; newestAt: number } {
    const { lastRow } = this.#sealing;
    const shiftMs = this.#clocks.shiftOf(from, to, lastRow);
    this.#disk.transaction(() => this.#clocks.shift(from, shiftMs, lastRow));
    this.#clocks.load();
    this.#bins.load();
    return { shiftMs, newestAt: this.newestAt };
  }

  /**
   * Has time go back: what was stamped in this boot gets its true time and is sealed anew. What is
   * still ahead then is of another boot, and nobody knows when it was: a `misdated` gap record of its
   * bin says how many, or 0 where they are with the cloud, which refused them.
   * @param to the true time
   * @returns readings that had to go
   */
  turnBack(to: ClockSegment, nowMs: number): number {
    const { lastRow: sealedRow } = this.#sealing;
    const turn = new TurnBack(this.#disk.statements, this.#clocks, { to, nowMs, sealedRow });
    let lost = 0;
    this.#store.commit(() => {
      this.#sealing.unseal();
      turn.move();
      const nextRow = this.#addGaps(turn.recorded(this.#bins.rows()));
      lost = turn.remove();
      const readings = this.#store.now.readings - lost;
      return { epoch: newEpoch(), receipted: 0, nextRow, readings };
    });
    this.#load();
    return lost;
  }

  /** Starts numbering from 1 under a new epoch; rows stay and are sealed anew. */
  renew(): void {
    this.#renewAfter(0);
  }

  /**
   * Starts numbering anew with the first reading that the cloud refused and would take another time;
   * what was sent before it, the cloud has.
   * @param seq a batch that was not receipted yet
   * @param index of the reading in it
   */
  renewFrom(seq: number, index: number): void {
    const { statements } = this.#disk;
    const [first, last] = this.#sealing.rowsOf(seq);
    const rows = statements.readings.all(first, last) as unknown as readonly StoredRow[];
    this.#renewAfter(rows[index - 1]?.[0] ?? first - 1);
  }

  #renewAfter(row: number): void {
    this.#store.commit(() => {
      const readings = this.#sealing.removeRows(row);
      this.#sealing.unseal();
      return { epoch: newEpoch(), receipted: 0, readings };
    });
    this.#sealing.load();
    this.#clocks.load();
  }

  /**
   * Device time of the oldest reading that no batch holds; null for none.
   * @throws Failure `outbox-corrupt`
   */
  oldestUnsealedAt(): number | null {
    return this.#disk.guarded(() => {
      const { oldest } = this.#disk.statements;
      const [row] = oldest.all(this.#sealing.lastRow, this.#store.now.nextRow, 1);
      return row === undefined ? null : this.#readingOf(row as unknown as StoredRow).at;
    });
  }

  close(): void {
    this.#disk.close();
  }
}
