import type { BinId } from './ids.ts';
import type { ReadingUnit } from './units.ts';

/** How far a reading can be trusted; only `good` carries a usable weight. */
export const QUALITIES = [
  'good',
  'unstable',
  'overload',
  'underload',
  'stale',
  'comm-error',
  'config-error',
] as const;
export type Quality = (typeof QUALITIES)[number];

/** One settled measurement of one bin. */
export interface Reading {
  readonly bin: BinId;
  /** Device time, ms since 1970 UTC; strictly increasing per bin. */
  readonly at: number;
  /** Integer in `unit`; `null` where nothing could be measured, never 0 in its place. */
  readonly value: number | null;
  readonly unit: ReadingUnit;
  /** Number of samples averaged, at least 1; 0 where `value` is null. */
  readonly samples: number;
  /** Standard deviation of one sample, in `unit`, integer ≥ 0. */
  readonly spread: number;
  readonly quality: Quality;
  /** Whether the device's clock was synchronised when it measured. */
  readonly synced: boolean;
}

/** A stretch of time for which no readings exist, and why: itself a record. */
export interface Gap {
  readonly bin: BinId;
  /** ms since 1970 UTC, exclusive of the last reading before. */
  readonly from: number;
  /** ms since 1970 UTC. */
  readonly to: number;
  /** Readings dropped; 0 where none were taken. */
  readonly count: number;
  readonly why: GapCause;
}

/**
 * `dropped` and `thinned`: for want of room; `damaged`: rows of the outbox that could not be read any
 * more; `misdated`: measured under a clock that was wrong, and nobody knows any more when;
 * `lost-by-cloud`: batches that neither side has.
 */
export const GAP_CAUSES = [
  'not-measured',
  'dropped',
  'thinned',
  'damaged',
  'misdated',
  'lost-by-cloud',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];
