/**
 * For whatever a test waits for: it ends only what hangs, also on a machine that is laden or slow;
 * what comes is seen at once.
 */
export const WAIT = { timeout: 60_000, interval: 10 };
