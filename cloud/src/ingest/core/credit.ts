/** Fewest and most batches an agent may have sent and not yet receipted. */
export const MIN_WINDOW = 4;
export const MAX_WINDOW = 64;
export const FIRST_WINDOW = 16;

/**
 * How long a batch may wait for its receipt before agents are asked for less. Well below the five
 * seconds after which an agent sends again, so that being slow does not make more work.
 */
export const PATIENCE_MS = 500;

/**
 * The window after a group of batches: half of it where the group waited too long, one more where
 * it did not (additive increase, multiplicative decrease; Chiu and Jain 1989).
 * @param waitedMs from the arrival of the group's first batch to its commit
 */
export function nextWindow(window: number, waitedMs: number): number {
  if (waitedMs > PATIENCE_MS) return Math.max(MIN_WINDOW, Math.floor(window / 2));
  return Math.min(MAX_WINDOW, window + 1);
}
