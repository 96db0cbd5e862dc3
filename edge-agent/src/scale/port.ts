import type { ScaleRead } from '../core/scale-read.ts';

/** What experience with a scale says about how it is to be asked. */
export interface ReadLimits {
  /** How long an answer may take, where that is shorter than the link's own, ms. */
  readonly timeoutMs?: number | undefined;
  /** For how long the line has to be silent before each request, ms. */
  readonly pauseMs?: number | undefined;
}

/**
 * An open line to the scales of one link. It is not to be asked for a second thing before the first
 * was answered or has failed.
 */
export interface ScaleSession<Scale, Read = ScaleRead> {
  /**
   * Asks one scale once.
   * @returns gross mass, or what the scale says is wrong with it
   * @throws Failure `link-down` where nobody can be asked any more; else this scale alone has failed
   * and others on the same line may answer: `scale-silent` where no answer came in time, `frame-broken`
   * where what came is none; with `retry: 'now'` it answered that it wants to be asked again
   */
  read(scale: Scale, limits?: ReadLimits): Promise<Read>;
  /** After a failed read: waits until a late answer can no longer be taken for the next one. */
  drain(): Promise<void>;
  /** Frees socket or port at once; may be called twice. */
  close(): void;
}

/** How to open a line; a session that failed is closed, and another one is opened. */
export interface ScaleDriver<Scale, Read = ScaleRead> {
  /** @throws Failure `link-down` */
  open(): Promise<ScaleSession<Scale, Read>>;
}
