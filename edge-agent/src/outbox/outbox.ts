import { randomUUID } from 'node:crypto';
import { Failure } from '#shared/failure.ts';
import { epoch as epochOf, type BinId, type Epoch } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Batch } from '#shared/wire/batch.ts';
import type { ClockSegment } from '../core/device-clock.ts';
import type { Reported } from '../core/reporting.ts';
import { Clocks } from './clocks.ts';
import { Disk, type DiskOptions } from './disk.ts';
import { numberOf, type OpenedFile } from './file.ts';
import { hashOf, kindFrom, kindOf, sumOf, type StoredRow } from './rows.ts';
import { salvage, type Salvaged } from './salvage.ts';
import { Shrinking, type Usage } from './shrinking.ts';
import type { BinRow, GapRow } from './statements.ts';
import { TurnBack } from './turn-back.ts';

/** A reading on its way into the outbox, with the gap it closes. */
export interface Entry {
  readonly reading: Reading;
  readonly gap: Gap | null;
  /** Up to here every stretch of the bin is accounted for, ms since 1970 UTC. */
  readonly accountedTo: number;
  /** Whether the reading tells of a change that a later one is to confirm. */
  readonly unconfirmed: boolean;
  /** Which clock stamped it; null where not this device's. */
  readonly clock: ClockSegment | null;
}

/** A bin as the outbox knows it. */
interface KnownBin {
  readonly id: number;
  readonly bin: BinId;
  readonly hash: number;
  /** Device time of its newest reading. */
  readonly at: number;
}

/** With a backlog larger than this, batches are sealed ahead, and one fsync serves many of them. */
const AHEAD_FROM_ROWS = 20_000;
const AHEAD_BATCHES = 32;

/**
 * What was measured and is not receipted yet, on disk. Whatever a call has returned from survives a
 * kill or a power cut (WAL with `synchronous = FULL`). Only ranges of rows are ever in memory.
 */
export class Outbox {
  readonly #disk: Disk;
  readonly #bins = new Map<BinId, KnownBin>();
  readonly #binsById = new Map<number, KnownBin>();
  #clocks: Clocks;
  #shrinking: Shrinking;
  #setAside: (NonNullable<OpenedFile['setAside']> & Salvaged) | null = null;
  #epoch: Epoch = newEpoch();
  #receipted = 0;
  #sealed = 0;
  #nextRow = 1;
  /** Newest row that is part of a batch. */
  #sealedRow = 0;
  /** Readings on disk. */
  #stored = 0;
  /** Those of them that were receipted while the disk could not be written. */
  #trimDue = 0;
  #held: ClockSegment | null = null;
  #limitAt = Infinity;

  /** @throws Failure `outbox-unwritable` unless it `waits`, or `outbox-newer` */
  constructor(folder: string, options: { stamp: string } & Partial<DiskOptions>) {
    this.#disk = new Disk({ waits: false, shut: null, bins: [], ...options, folder });
    this.#clocks = new Clocks(this.#disk.statements);
    this.#shrinking = this.#newShrinking();
    this.#load();
  }

  /** Why nothing can be written since it was opened; null where it can. */
  get fault(): string | null {
    return this.#disk.fault;
  }

  /** Where a corrupt predecessor was set aside, and how much of it was saved, for the operator. */
  get setAside(): (NonNullable<OpenedFile['setAside']> & Salvaged) | null {
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
    this.#clocks = new Clocks(this.#disk.statements);
    this.#shrinking = this.#newShrinking();
    this.#load();
    if (epoch === this.#epoch) this.trim(progress.receipted);
    return true;
  }

  #load(): void {
    const { statements, found } = this.#disk;
    const stored = statements.store.get();
    if (stored !== undefined) this.#epoch = epochOf(String(stored['epoch']));
    this.#receipted = Number(stored?.['receipted'] ?? 0);
    this.#stored = Number(stored?.['readings'] ?? 0);
    this.#trimDue = 0;
    this.#nextRow = Math.max(Number(stored?.['next_row'] ?? 1), this.#newestRow() + 1);
    const [batch] = statements.newestBatch.all();
    this.#sealed = Number(batch?.['seq'] ?? this.#receipted);
    this.#sealedRow = Number(batch?.['last_row'] ?? this.#rowBeforeOldest());
    this.#bins.clear();
    this.#binsById.clear();
    for (const row of this.#binRows()) this.#know(row.id, row.bin, row.at);
    if (this.#disk.access !== 'write') return;
    if (stored === undefined) this.#disk.transaction(() => this.#saveStore());
    const append = (entries: readonly Entry[]): void => this.append(entries);
    const record = (gaps: readonly Gap[]): void => this.record(gaps);
    const { setAside, lostPages, writtenAt } = found;
    this.#setAside = setAside && { ...setAside, ...salvage(setAside.file, { append, record }) };
    if (lostPages > 0 || setAside !== null) this.#recordUnknown(lostPages > 0, writtenAt);
  }

  /** Of bins without a record, and of all where the newest commits are lost: nobody knows how many. */
  #recordUnknown(isNewestLost: boolean, to: number): void {
    const known = this.#binRows();
    const unknown = this.#disk.bins.filter((bin) => !this.#bins.has(bin));
    const from = Math.max(1, to);
    this.record([
      ...unknown.map((bin): Gap => ({ bin, from, to: from, count: 0, why: 'damaged' })),
      ...(isNewestLost ? known.map((row) => lostSince(row, to)) : []),
    ]);
  }

  #newShrinking(): Shrinking {
    return new Shrinking({
      statements: this.#disk.statements,
      transaction: (work) => this.#disk.transaction(work),
      newestRows: () => new Set(this.#binRows().map(({ row }) => row)),
      binOf: (id) => this.#binOf(id).bin,
      shiftAt: (clock, row) => this.#clocks.shiftAt(clock, row) ?? 0,
    });
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Readings that were not receipted yet. */
  get backlog(): number {
    return this.#stored - this.#trimDue;
  }

  /** Whether rows wait to be sealed, and not for the right time. */
  get hasUnsealed(): boolean {
    return this.#lastToSeal() > this.#sealedRow;
  }

  get progress(): { readonly receipted: number; readonly sealed: number } {
    return { receipted: this.#receipted, sealed: this.#sealed };
  }

  /** The newest reading of every bin ever appended. */
  newest(): ReadonlyMap<BinId, Reported> {
    return new Map(
      this.#binRows().map(({ bin, at, value, samples, spread, quality, ...row }) => {
        const reported = { accountedTo: row.accounted_to, unconfirmed: row.unconfirmed === 1 };
        return [bin, { at, value, samples, spread, quality, ...reported }];
      }),
    );
  }

  /** Newest device time on record, of any bin; 0 for none. */
  get newestAt(): number {
    let newest = 0;
    for (const { at } of this.#bins.values()) newest = Math.max(newest, at);
    return newest;
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
    let row = this.#nextRow;
    const { addReading, addGap, setNewest } = this.#disk.statements;
    const newest = new Map<BinId, { entry: Entry; row: number; known: KnownBin; clock: number }>();
    const added = this.#clocks.starting(entries, { row, floorMs: this.newestAt });
    let bins = this.#bins.size;
    this.#disk.transaction(() => {
      this.#clocks.add(added);
      for (const entry of entries) {
        const { reading, gap } = entry;
        const { bin, at, value, samples, spread } = reading;
        if (gap !== null) {
          addGap.run(row, gap.bin, gap.from, gap.to, gap.count, gap.why);
          row += 1;
        }
        const before = newest.get(bin)?.entry.reading.at ?? this.#bins.get(bin)?.at ?? 0;
        if (at <= before) throw new Error(`${bin} at ${at}: not after its newest reading`);
        const known = newest.get(bin)?.known ??
          this.#bins.get(bin) ?? { id: (bins += 1), bin, hash: hashOf(bin), at };
        const clock = this.#clocks.idOf(entry.clock, added);
        const kind = kindOf(reading);
        const sum = sumOf(row, known.hash, at, value, samples, spread, kind, clock);
        addReading.run(row, known.id, at, value, samples, spread, kind, clock, sum);
        newest.set(bin, { entry, row, known, clock });
        row += 1;
      }
      for (const { entry, known, ...place } of newest.values()) {
        const { at, value, unit, samples, spread, quality } = entry.reading;
        const reported = [entry.accountedTo, entry.unconfirmed ? 1 : 0] as const;
        const level = [at, value, unit, samples, spread, quality] as const;
        setNewest.run(known.id, known.bin, ...level, ...reported, place.row, place.clock);
      }
      this.#saveStore({ nextRow: row, stored: this.#stored + entries.length });
    });
    this.#nextRow = row;
    this.#stored += entries.length;
    this.#clocks.keep(added);
    for (const { entry, known } of newest.values()) {
      this.#know(known.id, known.bin, entry.reading.at);
    }
  }

  /**
   * Commits gap records that no reading carries.
   * @throws Failure `outbox-unwritable`
   */
  record(gaps: readonly Gap[]): void {
    if (gaps.length === 0) return;
    this.#disk.transaction(() => this.#saveStore({ nextRow: this.#addGaps(gaps) }));
    this.#nextRow += gaps.length;
  }

  /** @returns the row after them */
  #addGaps(gaps: readonly Gap[]): number {
    for (const [n, { bin, from, to, count, why }] of gaps.entries()) {
      this.#disk.statements.addGap.run(this.#nextRow + n, bin, from, to, count, why);
    }
    return this.#nextRow + gaps.length;
  }

  /**
   * Seals unsealed rows into at most `batches` batches of at most `size` readings. A sealed batch
   * never changes, so that it can be sent again as it was. With a large backlog more are sealed.
   */
  seal(batches: number, size: number): void {
    const end = this.#lastToSeal();
    if (batches < 1 || end <= this.#sealedRow) return;
    const isLarge = end - this.#sealedRow >= AHEAD_FROM_ROWS;
    const most = isLarge ? Math.max(batches, AHEAD_BATCHES) : batches;
    let seq = this.#sealed;
    let last = this.#sealedRow;
    this.#disk.transaction(() => {
      for (let count = 0; count < most && last < end; count += 1) {
        const full = this.#disk.statements.nthUnsealed.get(last, end, size - 1);
        const row = Number(full?.['row'] ?? end);
        seq += 1;
        this.#disk.statements.addBatch.run(seq, last + 1, row);
        last = row;
      }
    });
    this.#sealed = seq;
    this.#sealedRow = last;
  }

  #lastToSeal(): number {
    const held = this.#held === null ? null : this.#clocks.firstRow(this.#held);
    return Math.min(this.#nextRow, held ?? Infinity, this.#firstAhead() ?? Infinity) - 1;
  }

  #firstAhead(): number | null {
    if (this.newestAt <= this.#limitAt) return null;
    const found = this.#disk.guarded(() =>
      this.#disk.statements.firstAhead.get(this.#sealedRow, this.#limitAt),
    );
    return found === undefined ? null : Number(found['row']);
  }

  /** @param limitAt readings further ahead than this wait, since the cloud would refuse them */
  limit(limitAt: number): void {
    this.#limitAt = limitAt;
  }

  /** @param segment readings it stamped wait for the true time and are not sealed; null for none */
  hold(segment: ClockSegment | null): void {
    this.#held = segment;
  }

  /**
   * Shifts what a clock stamped and what is not sealed yet by the difference to the true time. The
   * shift is less where times would otherwise not come after those that are sealed or older.
   * @returns the shift, ms, and the newest device time then on record
   */
  shift(from: ClockSegment, to: ClockSegment): { shiftMs: number; newestAt: number } {
    const shiftMs = this.#clocks.shiftOf(from, to, this.#sealedRow);
    this.#disk.transaction(() => this.#clocks.shift(from, shiftMs, this.#sealedRow));
    this.#clocks.reload();
    for (const row of this.#binRows()) this.#know(row.id, row.bin, row.at);
    return { shiftMs, newestAt: this.newestAt };
  }

  /** @returns a sealed batch that was not receipted yet */
  batch(seq: number): Batch {
    return this.#disk.guarded(() => {
      const range = this.#disk.statements.batch.get(seq);
      if (range === undefined) throw new Error(`batch ${seq} is not in the outbox`);
      const [first, last] = [Number(range['first_row']), Number(range['last_row'])];
      const rows = this.#disk.statements.readings.all(first, last) as unknown as StoredRow[];
      const gaps = this.#disk.statements.gaps.all(first, last) as unknown as GapRow[];
      return {
        epoch: this.#epoch,
        seq,
        oldest: this.#receipted + 1,
        readings: rows.map((row) => this.#readingOf(row)),
        gaps: gaps.map(({ bin, from_ms: from, to_ms: to, count, why }) => {
          return { bin, from, to, count, why };
        }),
      };
    });
  }

  /**
   * Forgets every batch up to a receipted one. Without an fsync of its own: a trim that a power cut
   * undoes is done again after the batches were sent and receipted once more. Where the disk cannot
   * be written they are forgotten in memory only, and on disk with the next receipt that finds it so.
   */
  trim(upTo: number): void {
    if (upTo <= this.#receipted || upTo > this.#sealed) return;
    const { statements } = this.#disk;
    const last = Number(statements.batch.get(upTo)?.['last_row'] ?? 0);
    let trimmed = 0;
    try {
      this.#disk.lazily(() => {
        const newest = statements.clockOf.get(last);
        if (newest !== undefined) {
          const [clock, at] = [Number(newest['clock']), Number(newest['at'])];
          this.#clocks.raiseFloor(clock, at + (this.#clocks.shiftAt(clock, last) ?? 0));
        }
        trimmed = Number(statements.trimReadings.run(last).changes);
        statements.trimGaps.run(last);
        statements.trimBatches.run(upTo);
        this.#saveStore({ receipted: upTo, stored: this.#stored - trimmed });
      });
      this.#trimDue = 0;
      this.#stored -= trimmed;
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') throw error;
      this.#trimDue = Number(statements.countTo.get(last)?.['count'] ?? 0);
    }
    this.#receipted = upTo;
  }

  /**
   * Has time go back: what was stamped in this boot gets its true time and is sealed anew. What is
   * still ahead then is of another boot, and nobody knows when it was: a `misdated` gap record of its
   * bin says how many, or 0 where they are with the cloud, which refused them.
   * @param to the true time
   * @returns readings that had to go
   */
  turnBack(to: ClockSegment, nowMs: number): number {
    const turn = new TurnBack(this.#disk.statements, this.#clocks, { to, nowMs });
    let lost = 0;
    this.#disk.transaction(() => {
      this.#disk.statements.trimBatches.run(this.#sealed);
      turn.move();
      const gaps = turn.recorded(this.#binRows());
      lost = turn.remove();
      const nextRow = this.#addGaps(gaps);
      this.#saveStore({ epoch: newEpoch(), receipted: 0, nextRow, stored: this.#stored - lost });
    });
    this.#clocks.reload();
    this.#load();
    return lost;
  }

  /** Starts numbering from 1 under a new epoch; rows stay and are sealed anew. */
  renew(): void {
    const epoch = newEpoch();
    this.#disk.transaction(() => {
      this.#disk.statements.trimBatches.run(this.#sealed);
      this.#saveStore({ epoch, receipted: 0 });
    });
    this.#epoch = epoch;
    this.#receipted = 0;
    this.#sealed = 0;
    this.#sealedRow = this.#rowBeforeOldest();
  }

  usage(): Usage {
    return this.#disk.guarded(() => this.#shrinking.usage());
  }

  /**
   * Device time of the oldest reading that no batch holds; null for none.
   * @throws Failure `outbox-corrupt`
   */
  oldestUnsealedAt(): number | null {
    return this.#disk.guarded(() => {
      const [row] = this.#disk.statements.oldest.all(this.#sealedRow, this.#nextRow, 1);
      return row === undefined ? null : this.#readingOf(row as unknown as StoredRow).at;
    });
  }

  /** Thins a stretch of unsealed rows; see {@link Shrinking.thin}. */
  thin(options: { after: number; spacingMs: number; keep: 'ends' | 'extremes' }): {
    readonly thinned: number;
    readonly last: number | null;
  } {
    const after = Math.max(options.after, this.#sealedRow);
    const result = this.#shrinking.thin({ ...options, after }, (removed) =>
      this.#saveStore({ stored: this.#stored - removed }),
    );
    this.#stored -= result.thinned;
    return result;
  }

  /** Drops the oldest unsealed readings but the newest of each bin. @returns how many */
  drop(most: number, beforeMs: number): number {
    const dropped = this.#shrinking.drop({ after: this.#sealedRow, most, beforeMs }, (removed) =>
      this.#saveStore({ stored: this.#stored - removed }),
    );
    this.#stored -= dropped;
    return dropped;
  }

  /** Gives free pages at the end of the file back to the disk. */
  vacuum(pages: number): void {
    this.#disk.guarded(() => this.#disk.database.exec(`PRAGMA incremental_vacuum(${pages})`));
  }

  close(): void {
    if (this.#disk.database.isOpen) this.#disk.database.close();
  }

  #binRows(): BinRow[] {
    return this.#disk.guarded(() => this.#disk.statements.bins.all() as unknown as BinRow[]);
  }

  #know(id: number, bin: BinId, at: number): void {
    const known: KnownBin = { id, bin, hash: hashOf(bin), at };
    this.#bins.set(bin, known);
    this.#binsById.set(id, known);
  }

  #binOf(id: number): KnownBin {
    const known = this.#binsById.get(id);
    if (known === undefined) throw this.#disk.damaged(`no bin ${id}`);
    return known;
  }

  #readingOf([row, id, at, value, samples, spread, kind, clock, sum]: StoredRow): Reading {
    const known = this.#binOf(id);
    const words = kindFrom(kind);
    const found = sumOf(row, known.hash, at, value, samples, spread, kind, clock);
    if (found !== sum || words === undefined) throw this.#disk.damaged(`row ${row}`);
    const { quality, unit, synced } = words;
    const shiftMs = this.#clocks.shiftAt(clock, row);
    const isShifted = shiftMs !== null;
    return {
      bin: known.bin,
      at: isShifted ? at + shiftMs : at,
      value,
      unit,
      samples,
      spread,
      quality,
      synced: synced || isShifted,
    };
  }

  #newestRow(): number {
    return numberOf(this.#disk.database, NEWEST_ROW);
  }

  #rowBeforeOldest(): number {
    return (numberOf(this.#disk.database, OLDEST_ROW) || this.#nextRow) - 1;
  }

  #saveStore(
    change: { epoch?: Epoch; receipted?: number; nextRow?: number; stored?: number } = {},
  ): void {
    this.#disk.statements.saveStore.run(
      change.epoch ?? this.#epoch,
      change.receipted ?? this.#receipted,
      change.nextRow ?? this.#nextRow,
      change.stored ?? this.#stored,
    );
  }
}

const OLDEST_ROW = `SELECT min(row) FROM
  (SELECT min(row) AS row FROM readings UNION ALL SELECT min(row) FROM gaps)`;
const NEWEST_ROW = `SELECT max(row) FROM
  (SELECT max(row) AS row FROM readings UNION ALL SELECT max(row) FROM gaps)`;

/** Commits after the newest on record were lost with the journal: nobody knows how many. */
function lostSince({ bin, at }: BinRow, writtenAt: number): Gap {
  return { bin, from: at, to: Math.max(at, writtenAt), count: 0, why: 'damaged' };
}

const newEpoch = (): Epoch => epochOf(randomUUID().replaceAll('-', ''));
