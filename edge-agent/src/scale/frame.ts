import type { FaultQuality, ScaleRead } from '../core/scale-read.ts';
import { weightRead, type ShownWeight } from './weight.ts';

/** One complete message of a scale. */
export interface Frame {
  readonly read: ScaleRead;
  /** Unit, decimals and length: what a scale does not change from one weight to the next. */
  readonly shape: string;
}

/** Cuts a stream of bytes into what a protocol knows, however the stream is split. */
export interface Codec<Item = Frame> {
  /** @returns what these bytes completed, oldest first */
  push(bytes: Uint8Array): Item[];
  /** Forgets what is not complete yet. */
  clear(): void;
}

export function faultFrame(quality: FaultQuality, why: string): Frame {
  return { read: { ok: false, quality, why }, shape: '' };
}

/** @returns `null` where it is no weight */
export function weightFrame(weight: ShownWeight, length: number): Frame | null {
  const read = weightRead(weight);
  if (read === null) return null;
  const decimals = /[.,](\d*)$/.exec(weight.digits)?.[1]?.length ?? 0;
  return { read, shape: `${weight.unit} ${decimals} ${length}` };
}

export const NET_WHY =
  'the scale shows a net weight; clear its tare, so that it shows gross, and lock the tare key';

/** For frames that say neither gross nor net. */
export const UNMARKED_WHY =
  'the frame does not say whether it is gross or net; lock the tare key and set tare: locked';

/** Motion bands of indicators go up to 10 d: a weight that moves by more is not called stable. */
const MOTION_BAND_DIVISIONS = 10;

/**
 * Whether a frame is confirmed by the one right before it. Most of the protocols have no checksum: a
 * lost or changed byte shows only in that the next frame says something else.
 */
export function agrees(
  before: Frame,
  now: Frame,
  { divisionMg }: { readonly divisionMg: number },
): boolean {
  if (!before.read.ok || !now.read.ok) {
    return !before.read.ok && !now.read.ok && before.read.quality === now.read.quality;
  }
  if (before.shape !== now.shape) return false;
  if (!now.read.stable) return true;
  const apart = Math.abs(before.read.massMg - now.read.massMg);
  return before.read.stable && apart <= MOTION_BAND_DIVISIONS * divisionMg;
}
