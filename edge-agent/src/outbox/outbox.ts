import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '#shared/failure.ts';
import { epoch as epochOf, type BinId, type Epoch } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Batch } from '#shared/wire/batch.ts';
import type { ClockSegment } from '../core/device-clock.ts';
import type { Reported } from '../core/reporting.ts';
import { Clocks } from './clocks.ts';
import { numberOf, openFile, outboxFailure, suspect, type OpenedFile } from './file.ts';
import { hashOf, kindFrom, kindOf, sumOf, type StoredRow } from './rows.ts';
import { salvage } from './salvage.ts';
import { Shrinking, type Usage } from './shrinking.ts';
import { prepare, type BinRow, type GapRow, type Statements } from './statements.ts';

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
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #folder: string;
  readonly #clocks: Clocks;
  readonly #shrinking: Shrinking;
  readonly #bins = new Map<BinId, KnownBin>();
  readonly #binsById = new Map<number, KnownBin>();
  /** Where a corrupt predecessor was set aside, and how much of it was saved, for the operator. */
  readonly setAside: (NonNullable<OpenedFile['setAside']> & { readonly salvaged: number }) | null;
  /** Pages of the journal that were damaged, so that commits may be lost; for the operator. */
  readonly lostPages: number;
  #epoch: Epoch;
  #receipted: number;
  #sealed: number;
  #nextRow: number;
  /** Newest row that is part of a batch. */
  #sealedRow: number;
  #backlog: number;
  #held: ClockSegment | null = null;

  /** @param options.stamp part of the name of a corrupt file that is set aside */
  constructor(folder: string, options: { stamp: string }) {
    const { database, setAside, lostPages } = openFile(folder, options.stamp);
    this.lostPages = lostPages;
    this.#database = database;
    this.#folder = folder;
    this.#statements = prepare(database);
    this.#clocks = new Clocks(this.#statements);
    const stored = this.#statements.store.get();
    this.#epoch = stored === undefined ? newEpoch() : epochOf(String(stored['epoch']));
    this.#receipted = Number(stored?.['receipted'] ?? 0);
    this.#backlog = Number(stored?.['readings'] ?? 0);
    this.#nextRow = Math.max(Number(stored?.['next_row'] ?? 1), this.#newestRow() + 1);
    const [batch] = this.#statements.newestBatch.all();
    this.#sealed = Number(batch?.['seq'] ?? this.#receipted);
    this.#sealedRow = Number(batch?.['last_row'] ?? this.#rowBeforeOldest());
    for (const row of this.#binRows()) this.#know(row.id, row.bin, row.at);
    this.#shrinking = new Shrinking({
      database,
      statements: this.#statements,
      transaction: (work) => this.#transaction(work),
      newestRows: () => new Set(this.#binRows().map(({ row }) => row)),
      binOf: (id) => this.#binOf(id).bin,
      shiftAt: (clock, row) => this.#clocks.shiftAt(clock, row) ?? 0,
    });
    if (stored === undefined) this.#transaction(() => this.#saveStore());
    const append = (entries: readonly Entry[]): void => this.append(entries);
    this.setAside = setAside && { ...setAside, salvaged: salvage(setAside.file, append) };
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Readings that were not receipted yet. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Whether rows wait to be sealed. */
  get hasUnsealed(): boolean {
    return this.#nextRow - 1 > this.#sealedRow;
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
    return this.#binRows().reduce((newest, { at }) => Math.max(newest, at), 0);
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
    const { addReading, addGap, setNewest } = this.#statements;
    const newest = new Map<BinId, { entry: Entry; row: number; known: KnownBin; clock: number }>();
    const added = this.#clocks.starting(entries, { row, floorMs: this.newestAt });
    let bins = this.#bins.size;
    this.#transaction(() => {
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
      this.#saveStore({ nextRow: row, backlog: this.#backlog + entries.length });
    });
    this.#nextRow = row;
    this.#backlog += entries.length;
    this.#clocks.keep(added);
    for (const { entry, known } of newest.values()) {
      this.#know(known.id, known.bin, entry.reading.at);
    }
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
    this.#transaction(() => {
      for (let count = 0; count < most && last < end; count += 1) {
        const full = this.#statements.nthUnsealed.get(last, end, size - 1);
        const row = Number(full?.['row'] ?? end);
        seq += 1;
        this.#statements.addBatch.run(seq, last + 1, row);
        last = row;
      }
    });
    this.#sealed = seq;
    this.#sealedRow = last;
  }

  #lastToSeal(): number {
    const newest = this.#nextRow - 1;
    const held = this.#held === null ? null : this.#clocks.firstRow(this.#held);
    return held === null ? newest : Math.min(newest, held - 1);
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
    this.#transaction(() => this.#clocks.shift(from, shiftMs, this.#sealedRow));
    this.#clocks.reload();
    for (const row of this.#binRows()) this.#know(row.id, row.bin, row.at);
    return { shiftMs, newestAt: this.newestAt };
  }

  /** @returns a sealed batch that was not receipted yet */
  batch(seq: number): Batch {
    return this.#guarded(() => {
      const range = this.#statements.batch.get(seq);
      if (range === undefined) throw new Error(`batch ${seq} is not in the outbox`);
      const [first, last] = [Number(range['first_row']), Number(range['last_row'])];
      const rows = this.#statements.readings.all(first, last) as unknown as StoredRow[];
      const gaps = this.#statements.gaps.all(first, last) as unknown as GapRow[];
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
   * undoes is done again after the batches were sent and receipted once more.
   */
  trim(upTo: number): void {
    if (upTo <= this.#receipted || upTo > this.#sealed) return;
    const last = Number(this.#statements.batch.get(upTo)?.['last_row'] ?? 0);
    let trimmed = 0;
    this.#lazily(() => {
      trimmed = Number(this.#statements.trimReadings.run(last).changes);
      this.#statements.trimGaps.run(last);
      this.#statements.trimBatches.run(upTo);
      this.#saveStore({ receipted: upTo, backlog: this.#backlog - trimmed });
    });
    this.#receipted = upTo;
    this.#backlog -= trimmed;
  }

  /** Starts numbering from 1 under a new epoch; rows stay and are sealed anew. */
  renew(): void {
    const epoch = newEpoch();
    this.#transaction(() => {
      this.#statements.trimBatches.run(this.#sealed);
      this.#saveStore({ epoch, receipted: 0 });
    });
    this.#epoch = epoch;
    this.#receipted = 0;
    this.#sealed = 0;
    this.#sealedRow = this.#rowBeforeOldest();
  }

  usage(): Usage {
    return this.#guarded(() => this.#shrinking.usage());
  }

  /**
   * Device time of the oldest reading that no batch holds; null for none.
   * @throws Failure `outbox-corrupt`
   */
  oldestUnsealedAt(): number | null {
    return this.#guarded(() => {
      const [row] = this.#statements.oldest.all(this.#sealedRow, this.#nextRow, 1);
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
      this.#saveStore({ backlog: this.#backlog - removed }),
    );
    this.#backlog -= result.thinned;
    return result;
  }

  /** Drops the oldest unsealed readings but the newest of each bin. @returns how many */
  drop(most: number, beforeMs: number): number {
    const dropped = this.#shrinking.drop({ after: this.#sealedRow, most, beforeMs }, (removed) =>
      this.#saveStore({ backlog: this.#backlog - removed }),
    );
    this.#backlog -= dropped;
    return dropped;
  }

  /** Gives free pages at the end of the file back to the disk. */
  vacuum(pages: number): void {
    this.#guarded(() => this.#database.exec(`PRAGMA incremental_vacuum(${pages})`));
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #binRows(): BinRow[] {
    return this.#guarded(() => this.#statements.bins.all() as unknown as BinRow[]);
  }

  #know(id: number, bin: BinId, at: number): void {
    const known: KnownBin = { id, bin, hash: hashOf(bin), at };
    this.#bins.set(bin, known);
    this.#binsById.set(id, known);
  }

  #binOf(id: number): KnownBin {
    const known = this.#binsById.get(id);
    if (known === undefined) throw this.#damaged(`no bin ${id}`);
    return known;
  }

  #readingOf([row, id, at, value, samples, spread, kind, clock, sum]: StoredRow): Reading {
    const known = this.#binOf(id);
    const words = kindFrom(kind);
    const found = sumOf(row, known.hash, at, value, samples, spread, kind, clock);
    if (found !== sum || words === undefined) throw this.#damaged(`row ${row}`);
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

  /** Damage is noticed once; the next opening sets the file aside, so that no crash loop comes. */
  #damaged(what: string): Failure {
    suspect(this.#folder);
    const message = `${this.#folder}: the outbox is corrupt: ${what} is not as it was written`;
    return new Failure('outbox-corrupt', message, { retry: 'never' });
  }

  #newestRow(): number {
    return numberOf(this.#database, NEWEST_ROW);
  }

  #rowBeforeOldest(): number {
    return (numberOf(this.#database, OLDEST_ROW) || this.#nextRow) - 1;
  }

  #saveStore(
    change: { epoch?: Epoch; receipted?: number; nextRow?: number; backlog?: number } = {},
  ): void {
    this.#statements.saveStore.run(
      change.epoch ?? this.#epoch,
      change.receipted ?? this.#receipted,
      change.nextRow ?? this.#nextRow,
      change.backlog ?? this.#backlog,
    );
  }

  #lazily(work: () => void): void {
    this.#guarded(() => this.#database.exec('PRAGMA synchronous = NORMAL'));
    try {
      this.#transaction(work);
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  #transaction(work: () => void): void {
    this.#guarded(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error)) throw error;
      const failure = outboxFailure(error, this.#folder);
      if (failure.code === 'outbox-corrupt') suspect(this.#folder);
      throw failure;
    }
  }
}

const OLDEST_ROW = `SELECT min(row) FROM
  (SELECT min(row) AS row FROM readings UNION ALL SELECT min(row) FROM gaps)`;
const NEWEST_ROW = `SELECT max(row) FROM
  (SELECT max(row) AS row FROM readings UNION ALL SELECT max(row) FROM gaps)`;

const newEpoch = (): Epoch => epochOf(randomUUID().replaceAll('-', ''));
