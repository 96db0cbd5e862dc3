import { randomUUID } from 'node:crypto';
import { epoch, type Epoch } from '#shared/ids.ts';
import type { Disk } from './disk.ts';

/** What the one row of the table `store` says. */
interface Store {
  readonly epoch: Epoch;
  /** Newest batch that was receipted; 0 for none. */
  readonly receipted: number;
  /** The row that the next reading or gap record gets. */
  readonly nextRow: number;
  /** Readings on disk. */
  readonly readings: number;
}

/** The table `store`, written in every transaction that changes what it says. */
export class StoreRow {
  readonly #disk: Disk;
  #now: Store = { epoch: newEpoch(), receipted: 0, nextRow: 1, readings: 0 };
  #isStored = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get now(): Store {
    return this.#now;
  }

  /** Whether it was on disk when it was loaded. */
  get isStored(): boolean {
    return this.#isStored;
  }

  /** A store that has no row yet keeps the epoch that was made up for it. */
  load(): void {
    const { store, newestRow } = this.#disk.statements;
    const row = store.get();
    this.#isStored = row !== undefined;
    this.#now = {
      epoch: row === undefined ? this.#now.epoch : epoch(String(row['epoch'])),
      receipted: Number(row?.['receipted'] ?? 0),
      nextRow: Math.max(Number(row?.['next_row'] ?? 1), Number(newestRow.get()?.['row'] ?? 0) + 1),
      readings: Number(row?.['readings'] ?? 0),
    };
  }

  /**
   * Does work, and writes what it changed of the row, in one transaction.
   * @throws Failure `outbox-unwritable`, where nothing was done or changed
   */
  commit(work: () => Partial<Store>, how: 'with-fsync' | 'lazily' = 'with-fsync'): void {
    let changed = this.#now;
    const both = (): void => {
      changed = { ...this.#now, ...work() };
      const { epoch: name, receipted, nextRow, readings } = changed;
      this.#disk.statements.saveStore.run(name, receipted, nextRow, readings);
    };
    if (how === 'lazily') this.#disk.lazily(both);
    else this.#disk.transaction(both);
    this.#now = changed;
  }

  /** Batches up to here are receipted; on disk with the next commit that succeeds. */
  note(receipted: number): void {
    this.#now = { ...this.#now, receipted };
  }
}

export const newEpoch = (): Epoch => epoch(randomUUID().replaceAll('-', ''));
