import type { BinId } from '#shared/ids.ts';
import { superfluous, type ThinOptions, type ThinRow } from '../core/thinning.ts';
import type { StoredRow } from './rows.ts';
import type { GapRow, Statements } from './statements.ts';

export interface Usage {
  /** Bytes of the file that hold something. */
  readonly usedBytes: number;
  /** Bytes of the file that are free, to be used again or given back. */
  readonly freeBytes: number;
}

export interface ShrinkingOptions {
  readonly statements: Statements;
  readonly transaction: (work: () => void) => void;
  /** Rows with the newest reading of each bin. */
  readonly newestRows: () => ReadonlySet<number>;
  readonly binOf: (id: number) => BinId;
  /** By how much the time of a row is shifted, ms. */
  readonly shiftAt: (clock: number, row: number) => number;
}

/** Rows looked at in one go: 50 ms of work. */
const CHUNK_ROWS = 10_000;

interface Removed extends ThinRow {
  readonly stored: StoredRow;
}

/** Makes room in an outbox; what goes is in a gap record of its bin in the same transaction. */
export class Shrinking {
  readonly #options: ShrinkingOptions;

  constructor(options: ShrinkingOptions) {
    this.#options = options;
  }

  usage(): Usage {
    const row = this.#options.statements.pages.get() ?? {};
    const pageSize = Number(row['page_size']);
    const free = Number(row['freelist_count']);
    return {
      usedBytes: (Number(row['page_count']) - free) * pageSize,
      freeBytes: free * pageSize,
    };
  }

  /**
   * Thins the next rows after one.
   * @returns how many readings went, and the last row that was looked at; null where none was left
   */
  thin(
    { after, ...options }: ThinOptions & { readonly after: number },
    save: (removed: number) => void,
  ): { readonly thinned: number; readonly last: number | null } {
    const rows = this.#oldest(after, CHUNK_ROWS);
    const last = rows.at(-1)?.row ?? null;
    const newest = this.#options.newestRows();
    const removed = superfluous(rows, options).filter(({ row }) => !newest.has(row));
    if (removed.length > 0) {
      this.#options.transaction(() => {
        this.#rewrite(rows, removed);
        this.#record('thinned', removed, [rows[0]?.row ?? 0, last ?? 0]);
        save(removed.length);
      });
    }
    return { thinned: removed.length, last };
  }

  /** Drops the oldest rows after one, as far as they are older than `beforeMs`. @returns how many */
  drop(
    {
      after,
      most,
      beforeMs,
    }: { readonly after: number; readonly most: number; readonly beforeMs: number },
    save: (removed: number) => void,
  ): number {
    const newest = this.#options.newestRows();
    const rows = this.#oldest(after, Math.min(most + newest.size, CHUNK_ROWS));
    const removed = rows.filter(({ row, at }) => !newest.has(row) && at < beforeMs).slice(0, most);
    const last = removed.at(-1);
    if (last === undefined) return 0;
    const touched = rows.filter(({ row }) => row <= last.row);
    this.#options.transaction(() => {
      this.#rewrite(touched, removed);
      this.#record('dropped', removed, [after + 1, last.row]);
      save(removed.length);
    });
    return removed.length;
  }

  #oldest(after: number, most: number): Removed[] {
    const { statements, shiftAt } = this.#options;
    const found = statements.oldest.all(after, Number.MAX_SAFE_INTEGER, most);
    return (found as unknown as StoredRow[]).map((stored) => {
      const [row, bin, at, value, , spread, kind, clock] = stored;
      return { row, bin, at: at + shiftAt(clock, row), value, spread, kind, stored };
    });
  }

  /** The whole stretch is written anew: rows deleted here and there would free no page. */
  #rewrite(rows: readonly Removed[], removed: readonly Removed[]): void {
    const { removeReadings, addReading } = this.#options.statements;
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
  #record(
    why: 'thinned' | 'dropped',
    removed: readonly Removed[],
    [first, last]: readonly [number, number],
  ): void {
    const { gaps, removeGap, addGap } = this.#options.statements;
    const found = gaps.all(first, last) as unknown as GapRow[];
    const earlier = Map.groupBy(
      found.filter((gap) => why === 'dropped' || gap.why === why),
      ({ bin }) => bin,
    );
    for (const [id, own] of Map.groupBy(removed, ({ bin }) => bin)) {
      const bin = this.#options.binOf(id);
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
