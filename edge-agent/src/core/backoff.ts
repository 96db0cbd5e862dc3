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
