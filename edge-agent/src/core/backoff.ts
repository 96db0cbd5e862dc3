/**
 * Pause before the next attempt to connect: doubling from `firstMs`, never above `mostMs`, and
 * spread so that a thousand agents do not come back in the same second.
 * @param failures attempts that failed in a row, 0 for none
 * @param chance uniform in [0, 1)
 * @returns milliseconds, between half of the pause and all of it
 */
export function backoffMs(
  failures: number,
  chance: number,
  { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number },
): number {
  // 2^30 first pauses are above any cap; larger powers would only risk infinity.
  const pause = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 30));
  return pause * (0.5 + chance / 2);
}

/** A line that worked for so long was a good one: the next pause is short again. */
const HEALTHY_MS = 60_000;

/** One that gave answers, but not for so long, counts for no more failures than this. */
const ANSWERED_FAILURES = 3;

/**
 * The failures that count after a connection has failed once more: so that what fails again and again
 * is not tried ever later although it works in between.
 * @param failures those that counted before it
 * @param connection how long it stood, and how long ago anything was answered last, over this one or
 * one before it; ms, `null` for never
 */
export function failuresAfter(
  failures: number,
  { stoodMs, answeredAgoMs }: { readonly stoodMs: number; readonly answeredAgoMs: number | null },
): number {
  if (answeredAgoMs === null || answeredAgoMs >= HEALTHY_MS) return failures + 1;
  return stoodMs >= HEALTHY_MS ? 1 : Math.min(failures, ANSWERED_FAILURES) + 1;
}
