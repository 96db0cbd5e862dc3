import type { Quality } from '#shared/reading.ts';

/** Why a read gave no weight. */
export type FaultQuality = Exclude<Quality, 'good' | 'unstable'>;

export interface ScaleFault {
  readonly ok: false;
  readonly quality: FaultQuality;
  /** For people. */
  readonly why: string;
}

/** What one read of a scale gives: a gross mass, or why there is none. Never 0 for no data. */
export type ScaleRead =
  | {
      readonly ok: true;
      /** Gross mass, integer mg. */
      readonly massMg: number;
      /** Whether the indicator itself calls the weight stable. */
      readonly stable: boolean;
    }
  | ScaleFault;

/** What one read of a sensor gives: an integer in the bin's unit, or why there is none. */
export type SensorRead = { readonly ok: true; readonly value: number } | ScaleFault;

export type BinRead = ScaleRead | SensorRead;
