import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { epoch as epochOf, type BinId, type Epoch } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Batch } from '#shared/wire/batch.ts';
import type { Reported } from '../core/reporting.ts';
import { numberOf, openFile, outboxFailure, type OpenedFile } from './file.ts';
import { prepare, readingOf, type BinRow, type GapRow, type Statements } from './statements.ts';

/** A reading on its way into the outbox, with the gap it closes. */
export interface Entry {
  readonly reading: Reading;
  readonly gap: Gap | null;
  /** Up to here every stretch of the bin is accounted for, ms since 1970 UTC. */
  readonly accountedTo: number;
  /** Whether the reading tells of a change that a later one is to confirm. */
  readonly unconfirmed: boolean;
}

/**
 * What was measured and is not receipted yet, on disk. Whatever a call has returned from survives a
 * kill or a power cut (WAL with `synchronous = FULL`). Only ranges of rows are ever in memory.
 */
export class Outbox {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #file: string;
  /** Where a corrupt predecessor was set aside, for the operator. */
  readonly setAside: OpenedFile['setAside'];
  #epoch: Epoch;
  #receipted: number;
  #sealed: number;
  #nextRow: number;
  /** Newest row that is part of a batch. */
  #sealedRow: number;
  #backlog: number;

  /** @param options.stamp part of the name of a corrupt file that is set aside */
  constructor(folder: string, options: { stamp: string }) {
    const { database, setAside } = openFile(folder, options.stamp);
    this.#database = database;
    this.#file = folder;
    this.setAside = setAside;
    this.#statements = prepare(database);
    const stored = this.#statements.store.get();
    this.#epoch = stored === undefined ? newEpoch() : epochOf(String(stored['epoch']));
    this.#receipted = Number(stored?.['receipted'] ?? 0);
    this.#nextRow = Number(stored?.['next_row'] ?? 1);
    const [batch] = this.#statements.newestBatch.all();
    this.#sealed = Number(batch?.['seq'] ?? this.#receipted);
    this.#sealedRow = Number(batch?.['last_row'] ?? this.#rowBeforeOldest());
    this.#backlog = numberOf(database, 'SELECT count(*) FROM readings');
    if (stored === undefined) this.#transaction(() => this.#saveStore());
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
    const rows = this.#statements.newest.all() as unknown as BinRow[];
    return new Map(
      rows.map(({ bin, accounted_to: accountedTo, unconfirmed, ...level }) => [
        bin,
        { ...level, accountedTo, unconfirmed: unconfirmed === 1 },
      ]),
    );
  }

  /**
   * Commits all entries or none.
   * @throws Failure `outbox-unwritable`, after which the same entries may be tried again
   */
  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    let row = this.#nextRow;
    const { addReading, addGap, setNewest } = this.#statements;
    this.#transaction(() => {
      for (const { reading, gap, ...entry } of entries) {
        const { bin, at, value, unit, samples, spread, quality, synced } = reading;
        if (gap !== null) {
          addGap.run(row, gap.bin, gap.from, gap.to, gap.count, gap.why);
          row += 1;
        }
        addReading.run(row, bin, at, value, unit, samples, spread, quality, synced ? 1 : 0);
        const level = [bin, at, value, unit, samples, spread, quality] as const;
        const newer = setNewest.run(...level, entry.accountedTo, entry.unconfirmed ? 1 : 0);
        if (newer.changes === 0) throw new Error(`${bin} at ${at}: not after its newest reading`);
        row += 1;
      }
      this.#saveStore({ nextRow: row });
    });
    this.#nextRow = row;
    this.#backlog += entries.length;
  }

  /**
   * Seals unsealed rows into at most `batches` batches of at most `size` readings. A sealed batch
   * never changes, so that it can be sent again as it was.
   */
  seal(batches: number, size: number): void {
    if (batches < 1 || !this.hasUnsealed) return;
    let seq = this.#sealed;
    let last = this.#sealedRow;
    this.#transaction(() => {
      for (let count = 0; count < batches && last < this.#nextRow - 1; count += 1) {
        const full = this.#statements.nthUnsealed.get(last, size - 1);
        const end = Number(full?.['row'] ?? this.#nextRow - 1);
        seq += 1;
        this.#statements.addBatch.run(seq, last + 1, end);
        last = end;
      }
    });
    this.#sealed = seq;
    this.#sealedRow = last;
  }

  /** @returns a sealed batch that was not receipted yet */
  batch(seq: number): Batch {
    return this.#guarded(() => {
      const range = this.#statements.batch.get(seq);
      if (range === undefined) throw new Error(`batch ${seq} is not in the outbox`);
      const [first, last] = [Number(range['first_row']), Number(range['last_row'])];
      const gaps = this.#statements.gaps.all(first, last) as unknown as GapRow[];
      return {
        epoch: this.#epoch,
        seq,
        oldest: this.#receipted + 1,
        readings: this.#statements.readings.all(first, last).map(readingOf),
        gaps: gaps.map(({ bin, from_ms: from, to_ms: to, count, why }) => {
          return { bin, from, to, count, why };
        }),
      };
    });
  }

  /** Forgets every batch up to a receipted one. */
  trim(upTo: number): void {
    if (upTo <= this.#receipted || upTo > this.#sealed) return;
    const last = Number(this.#statements.batch.get(upTo)?.['last_row'] ?? 0);
    let trimmed = 0;
    this.#transaction(() => {
      trimmed = Number(this.#statements.trimReadings.run(last).changes);
      this.#statements.trimGaps.run(last);
      this.#statements.trimBatches.run(upTo);
      this.#saveStore({ receipted: upTo });
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

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #rowBeforeOldest(): number {
    return (numberOf(this.#database, OLDEST_ROW) || this.#nextRow) - 1;
  }

  #saveStore(change: { epoch?: Epoch; receipted?: number; nextRow?: number } = {}): void {
    this.#statements.saveStore.run(
      change.epoch ?? this.#epoch,
      change.receipted ?? this.#receipted,
      change.nextRow ?? this.#nextRow,
    );
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
      const isSqlite = error instanceof Error && 'errcode' in error;
      throw isSqlite ? outboxFailure(error, this.#file) : error;
    }
  }
}

const OLDEST_ROW = `SELECT min(row) FROM
  (SELECT min(row) AS row FROM readings UNION ALL SELECT min(row) FROM gaps)`;

const newEpoch = (): Epoch => epochOf(randomUUID().replaceAll('-', ''));
