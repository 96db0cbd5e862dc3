import type { Quality } from '#shared/reading.ts';
import type { ProductId } from '#shared/ids.ts';
import type { QuantityUnit, ReadingUnit } from '#shared/units.ts';

/** How a bin's readings are to be understood from `from` on; enters the fold as a dated event. */
export interface BinSetup {
  /** ms since 1970 UTC */
  readonly from: number;
  readonly product: ProductId;
  readonly unit: QuantityUnit;
  /** Mass of the empty container. */
  readonly tareMg: number;
  /** Nominal mass of a piece; `null` for bulk products. */
  readonly pieceMassMg: number | null;
  readonly capacityMg: number;
}

/** What the fold needs of a reading; `value` is mg, count or permille by `unit`. */
export interface FoldReading {
  readonly at: number;
  readonly value: number | null;
  readonly unit: ReadingUnit;
  readonly samples: number;
  readonly spread: number;
  readonly quality: Quality;
}

export const MOVEMENT_KINDS = ['consumption', 'refill', 'unexplained', 'adjustment'] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/** One entry of a bin's ledger: opening + Σ quantity = closing. */
export interface Movement {
  /** 1, 2, 3 … per bin */
  readonly ordinal: number;
  readonly product: ProductId;
  /** The change happened after `from` and by `at`, ms since 1970 UTC. */
  readonly from: number;
  readonly at: number;
  readonly kind: MovementKind;
  /** Change of stock in the product's unit: negative for consumption. */
  readonly quantity: number;
  /** Bounds of `quantity`; apart from each other where only the net could be seen. */
  readonly low: number;
  readonly high: number;
  /** Measured change of mass. */
  readonly massMg: number;
  /** Posterior probability of `quantity`, parts per million. */
  readonly confidencePpm: number;
  /** Stock after this movement, in the product's unit. */
  readonly closing: number;
}

/** Sums of the 15 minutes from `bucket`; amounts in the product's unit. */
export interface Rollup {
  readonly bucket: number;
  readonly product: ProductId;
  /** ≥ 0 */
  readonly consumed: number;
  /** ≥ 0 */
  readonly refilled: number;
  /** Signed. */
  readonly unexplained: number;
  /** Signed. */
  readonly adjusted: number;
  /** Time in which consumption could have been seen: a working scale, a bin that is not empty. */
  readonly exposureMs: number;
  /** Stock at the end of the bucket or now; `null` before the first. */
  readonly closing: number | null;
}

/** Stock as the fold has it after its newest reading. */
export interface Stock {
  readonly at: number;
  readonly product: ProductId;
  readonly quantity: number;
  readonly massMg: number;
  readonly quality: Quality;
}
