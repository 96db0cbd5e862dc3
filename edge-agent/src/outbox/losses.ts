import type { BinId } from '#shared/ids.ts';
import type { Gap } from '#shared/reading.ts';

interface Loss {
  /** Time of the last sound reading before it; `null` where there is none. */
  readonly from: number | null;
  /** Time of the first sound reading after it; `null` before one is found. */
  to: number | null;
  count: number;
}

/** What damage took out of a store, one stretch for each bin: rows are told of oldest first. */
export class Losses {
  readonly #losses = new Map<BinId, Loss>();
  readonly #newest = new Map<BinId, number>();

  get isEmpty(): boolean {
    return this.#losses.size === 0;
  }

  /** A reading is sound. */
  sound(bin: BinId, at: number): void {
    const loss = this.#losses.get(bin);
    if (loss !== undefined) loss.to ??= at;
    this.#newest.set(bin, at);
  }

  /** One reading of a bin is not as it was written. */
  lost(bin: BinId): void {
    this.#opened(bin).count += 1;
  }

  /** Rows of nobody knows which bins are gone. */
  hole(bins: Iterable<BinId>): void {
    for (const bin of bins) this.#opened(bin);
  }

  /**
   * A record for each bin that lost something, or may have.
   * @param newestAt what the store says of each bin's newest reading, be it there or not
   * @param total readings that are gone. Those of unknown bins are divided among all that may have
   *   lost them: only their sum is exact
   */
  gaps(newestAt: ReadonlyMap<BinId, number>, total: number): Gap[] {
    const losses = [...this.#losses];
    const known = losses.reduce((sum, [, { count }]) => sum + count, 0);
    const unknown = Math.max(0, total - known);
    return losses.map(([bin, { from, to, count }], place) => {
      const end = Math.max(1, from ?? 1, to ?? newestAt.get(bin) ?? 1);
      const share = Math.floor(unknown / losses.length);
      const rest = place < unknown % losses.length ? 1 : 0;
      const all = count + share + rest;
      return { bin, from: from ?? Math.max(1, end - 1), to: end, count: all, why: 'damaged' };
    });
  }

  /** A later stretch of the same bin becomes one with the earlier. */
  #opened(bin: BinId): Loss {
    const loss = this.#losses.get(bin) ?? {
      from: this.#newest.get(bin) ?? null,
      to: null,
      count: 0,
    };
    loss.to = null;
    this.#losses.set(bin, loss);
    return loss;
  }
}
