import type { BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';

/**
 * What became of one reading: `duplicate` where the store already had it, to the last field;
 * `conflict` where it has another one of the same bin and time, which it keeps.
 */
export type AppendOutcome = 'stored' | 'duplicate' | 'conflict';

/** Device times, ms since 1970 UTC: `from` inclusive, `to` exclusive. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Every reading as it came, for ever; one a bin and time. conformance.ts says what every store does.
 * All throw Failure: `readings-unavailable` (retry later) or `readings-corrupt` (never); `append`
 * throws something else where a reading cannot be kept, however often it is tried.
 */
export interface ReadingsStore {
  /**
   * Idempotent. Durable when it returns, all of them; where it throws, any part may be stored.
   * @returns the outcome of each, in their order
   */
  append(readings: readonly Reading[]): Promise<readonly AppendOutcome[]>;
  /** Oldest first, in chunks that are never empty; at most `limit` readings in all. */
  read(
    bin: BinId,
    range: TimeRange & { readonly limit?: number },
  ): AsyncIterable<readonly Reading[]>;
  /**
   * The newest before `before`, where it is given, whatever its quality; a bin without such a
   * reading is left out.
   */
  newest(bins: readonly BinId[], before?: number): Promise<ReadonlyMap<BinId, Reading>>;
  count(bin: BinId, range: TimeRange): Promise<number>;
  /** May be called twice. */
  close(): Promise<void>;
}
