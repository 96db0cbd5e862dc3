/** Whose turn it is on a line. Instants are monotonic milliseconds. */
export interface Turn<Scale> {
  readonly scale: Scale;
  readonly pollMs: number;
  readonly dueAt: number;
  /** Reads in a row without a valid answer. */
  readonly failures: number;
}

/** A slave keeps its turn for so many failures in a row; then it is only probed. */
const PATIENCE = 3;

/** The longest pause between two probes of a silent slave. */
const LONGEST_PROBE_MS = 30_000;

export function startTurn<Scale>(scale: Scale, pollMs: number): Turn<Scale> {
  return { scale, pollMs, dueAt: 0, failures: 0 };
}

/**
 * @param turns at least one
 * @returns who is due first, and in how many milliseconds; 0 for now
 */
export function nextPoll<Scale>(
  turns: readonly Turn<Scale>[],
  now: number,
): { readonly turn: Turn<Scale>; readonly waitMs: number } {
  const turn = turns.reduce((first, other) => (other.dueAt < first.dueAt ? other : first));
  return { turn, waitMs: Math.max(0, turn.dueAt - now) };
}

/**
 * The turn after a read. A line that cannot keep up skips polls instead of queueing them, and a
 * slave that stays silent is probed at pauses that double up to 30 s.
 */
export function polled<Scale>(turn: Turn<Scale>, answered: boolean, now: number): Turn<Scale> {
  const failures = answered ? 0 : turn.failures + 1;
  const doublings = Math.min(30, Math.max(0, failures - PATIENCE));
  const longest = Math.max(turn.pollMs, LONGEST_PROBE_MS);
  const pauseMs = Math.min(longest, turn.pollMs * 2 ** doublings);
  // A first poll, or one that came late by more than a period, starts the rhythm anew.
  const onTime = turn.dueAt + pauseMs > now;
  return { ...turn, failures, dueAt: onTime ? turn.dueAt + pauseMs : now + pauseMs };
}
