import { superfluous, type ThinOptions, type ThinRow } from '../core/thinning.ts';
import type { Bins } from './bins.ts';
import type { Clocks } from './clocks.ts';
import type { Disk } from './disk.ts';
import type { StoredRow } from './rows.ts';
import type { GapRow } from './statements.ts';
import type { StoreRow } from './store-row.ts';

export interface Usage {
  /** Bytes of the file that hold something. */
  readonly usedBytes: number;
  /** Bytes of the file that are free, to be used again or given back. */
  readonly freeBytes: number;
}

interface ShrinkingOptions {
  readonly disk: Disk;
  readonly store: StoreRow;
  readonly bins: Bins;
  readonly clocks: Clocks;
  /** Newest row that a batch holds: up to it nothing may go. */
  readonly sealedRow: () => number;
}

interface Thinned {
  readonly thinned: number;
  /** The last row that was looked at; null where none was left. */
  readonly last: number | null;
}

/** Rows looked at in one go: 50 ms of work. */
const CHUNK_ROWS = 10_000;

interface ReadRow extends ThinRow {
  readonly stored: StoredRow;
}

/** Rows that are written anew without some of them, and where their gap records lie. */
interface Stretch {
  readonly rows: readonly ReadRow[];
  readonly removed: readonly ReadRow[];
  readonly first: number;
  readonly last: number;
}

/** Makes room in an outbox; what goes is in a gap record of its bin in the same transaction. */
export class Shrinking {
  readonly #options: ShrinkingOptions;

  constructor(options: ShrinkingOptions) {
    this.#options = options;
  }

  usage(): Usage {
    const { disk } = this.#options;
    const row = disk.guarded(() => disk.statements.pages.get()) ?? {};
    const pageSize = Number(row['page_size']);
    const free = Number(row['freelist_count']);
    return {
      usedBytes: (Number(row['page_count']) - free) * pageSize,
      freeBytes: free * pageSize,
    };
  }

  /** Thins the next rows after one, as far as no batch holds them. */
  thin({ after, ...options }: ThinOptions & { readonly after: number }): Thinned {
    const rows = this.#oldest(Math.max(after, this.#options.sealedRow()), CHUNK_ROWS);
    const last = rows.at(-1)?.row ?? null;
    const newest = this.#newestRows();
    const removed = superfluous(rows, options).filter(({ row }) => !newest.has(row));
    if (removed.length > 0) {
      this.#commit('thinned', { rows, removed, first: rows[0]?.row ?? 0, last: last ?? 0 });
    }
    return { thinned: removed.length, last };
  }

  /**
   * Drops the oldest rows that no batch holds, as far as they are older than `beforeMs`, but the
   * newest of each bin.
   * @returns how many
   */
  drop(most: number, beforeMs: number): number {
    const after = this.#options.sealedRow();
    const newest = this.#newestRows();
    const found = this.#oldest(after, Math.min(most + newest.size, CHUNK_ROWS));
    const removed = found.filter(({ row, at }) => !newest.has(row) && at < beforeMs).slice(0, most);
    const last = removed.at(-1)?.row;
    if (last === undefined) return 0;
    const rows = found.filter(({ row }) => row <= last);
    this.#commit('dropped', { rows, removed, first: after + 1, last });
    return removed.length;
  }

  /** Gives free pages at the end of the file back to the disk. */
  vacuum(pages: number): void {
    const { disk } = this.#options;
    disk.guarded(() => disk.database.exec(`PRAGMA incremental_vacuum(${pages})`));
  }

  #commit(why: 'thinned' | 'dropped', stretch: Stretch): void {
    const { store } = this.#options;
    store.commit(() => {
      this.#rewrite(stretch);
      this.#record(why, stretch);
      return { readings: store.now.readings - stretch.removed.length };
    });
  }

  #newestRows(): ReadonlySet<number> {
    return new Set(this.#options.bins.rows().map(({ row }) => row));
  }

  #oldest(after: number, most: number): ReadRow[] {
    const { disk, clocks } = this.#options;
    const { oldest } = disk.statements;
    const found = disk.guarded(() => oldest.all(after, Number.MAX_SAFE_INTEGER, most));
    return (found as unknown as StoredRow[]).map((stored) => {
      const [row, bin, at, value, , spread, kind, clock] = stored;
      const shiftMs = clocks.shiftAt(clock, row) ?? 0;
      return { row, bin, at: at + shiftMs, value, spread, kind, stored };
    });
  }

  /** The whole stretch is written anew: rows deleted here and there would free no page. */
  #rewrite({ rows, removed }: Stretch): void {
    const { removeReadings, addReading } = this.#options.disk.statements;
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return;
    removeReadings.run(first.row, last.row);
    const gone = new Set(removed);
    for (const row of rows) if (!gone.has(row)) addReading.run(...row.stored);
  }

  /**
   * One record for each bin, in the place of its last reading that went. Records of the stretch that
   * say the same, and for `dropped` all of the bin, become part of it, so that they do not pile up.
   */
  #record(why: 'thinned' | 'dropped', { removed, first, last }: Stretch): void {
    const { gaps, removeGap, addGap } = this.#options.disk.statements;
    const found = gaps.all(first, last) as unknown as GapRow[];
    const earlier = Map.groupBy(
      found.filter((gap) => why === 'dropped' || gap.why === why),
      ({ bin }) => bin,
    );
    for (const [id, own] of Map.groupBy(removed, ({ bin }) => bin)) {
      const { bin } = this.#options.bins.byId(id);
      const merged = earlier.get(bin) ?? [];
      for (const gap of merged) removeGap.run(gap.row);
      const times = own.map(({ at }) => at);
      const from = Math.min(...merged.map((gap) => gap.from_ms), ...times.map((at) => at - 1));
      const to = Math.max(...merged.map((gap) => gap.to_ms), ...times);
      const count = merged.reduce((sum, gap) => sum + gap.count, own.length);
      addGap.run(own.at(-1)?.row ?? last, bin, Math.max(1, from), to, count, why);
    }
  }
}
