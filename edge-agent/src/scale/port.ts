import type { ScaleRead } from '../core/scale-read.ts';

/**
 * An open line to the scales of one link. It is not to be asked for a second thing before the first
 * was answered or has failed.
 */
export interface ScaleSession<Scale> {
  /**
   * Asks one scale once.
   * @returns gross mass, or what the scale says is wrong with it
   * @throws Failure `scale-silent` where this scale gave no valid answer in time: others on the same
   * line may; `link-down` where nobody can be asked any more
   */
  read(scale: Scale): Promise<ScaleRead>;
  /** After a failed read: waits until a late answer can no longer be taken for the next one. */
  drain(): Promise<void>;
  /** Frees socket or port at once; may be called twice. */
  close(): void;
}

/** How to open a line; a session that failed is closed, and another one is opened. */
export interface ScaleDriver<Scale> {
  /** @throws Failure `link-down` */
  open(): Promise<ScaleSession<Scale>>;
}
