import type { Quality } from '#shared/reading.ts';

/** Why a read gave no weight. */
export type FaultQuality = Exclude<Quality, 'good' | 'unstable'>;

/** What one read of a scale gives: a gross mass, or why there is none. Never 0 for no data. */
export type ScaleRead =
  | {
      readonly ok: true;
      /** Gross mass, integer mg. */
      readonly massMg: number;
      /** Whether the indicator itself calls the weight stable. */
      readonly stable: boolean;
    }
  | {
      readonly ok: false;
      readonly quality: FaultQuality;
      /** For people. */
      readonly why: string;
    };
