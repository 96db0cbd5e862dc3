/** Whose turn it is on a line. Instants are monotonic milliseconds. */
export interface Turn<Scale> {
  readonly scale: Scale;
  readonly pollMs: number;
  readonly dueAt: number;
  /** Reads in a row without a valid answer. */
  readonly failures: number;
  /** Times in a row that it wanted to be asked again at once. */
  readonly retries: number;
}

/** A slave keeps its turn for so many failures in a row; then its breaker opens: it is only probed. */
const PATIENCE = 3;

/** The longest pause between two probes of a silent slave. */
const LONGEST_PROBE_MS = 30_000;

/** A probe may cost the others on its line one part in so many of their time; a first failure more. */
const PROBE_SHARE = 25;
const FAILURE_SHARE = 5;

/** One that wants to be asked again is asked after this time, so many times; others go in between. */
const RETRY_MS = 100;
const MOST_RETRIES = 2;

/** The shortest deadline that is set by experience, whatever the answers took: timers and USB hubs. */
const SHORTEST_DEADLINE_MS = 60;

/** An answer this many times slower than the slowest one of late is not waited for at first. */
const PATIENT_TIMES = 4;

export function startTurn<Scale>(scale: Scale, pollMs: number): Turn<Scale> {
  return { scale, pollMs, dueAt: 0, failures: 0, retries: 0 };
}

/** Whether the slave's breaker is open. */
export const isOpen = ({ failures }: { readonly failures: number }): boolean =>
  failures >= PATIENCE;

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
 * The turn after a read. A line that cannot keep up skips polls instead of queueing them. A slave
 * that stays silent is probed at pauses that double up to 30 s, and that are long enough for what the
 * probe costs the others.
 * @param costMs what a failed read cost the others on the line; 0 where no other one answers
 * @param silent how many are silent, this one included: together they cost no more than one alone
 */
export function polled<Scale>(
  turn: Turn<Scale>,
  {
    answered,
    costMs = 0,
    silent = 1,
  }: { readonly answered: boolean; readonly costMs?: number; readonly silent?: number },
  now: number,
): Turn<Scale> {
  const failures = answered ? 0 : turn.failures + 1;
  const doublings = Math.min(30, Math.max(0, failures - PATIENCE));
  const longest = Math.max(turn.pollMs, LONGEST_PROBE_MS);
  const rhythmMs = Math.min(longest, turn.pollMs * 2 ** doublings);
  const share = isOpen({ failures }) ? PROBE_SHARE : FAILURE_SHARE;
  // However many they are, nobody is left alone for longer than that.
  const mostMs = Math.max(longest, share * costMs);
  const pauseMs = answered
    ? rhythmMs
    : Math.max(rhythmMs, Math.min(mostMs, share * costMs * silent));
  // A first poll, or one that came late by more than a period, starts the rhythm anew.
  const onTime = turn.dueAt + pauseMs > now;
  const dueAt = onTime && pauseMs === rhythmMs ? turn.dueAt + pauseMs : now + pauseMs;
  return { ...turn, failures, retries: 0, dueAt };
}

/**
 * The turns at the moment when one of them is answered: where all have been silent for long, the line
 * was at fault, and now the others are worth being asked at once.
 */
export function awoken<Scale>(turns: readonly Turn<Scale>[], now: number): readonly Turn<Scale>[] {
  if (!turns.every(isOpen)) return turns;
  return turns.map((turn) => ({ ...turn, dueAt: Math.min(turn.dueAt, now) }));
}

/** The turn of one that wants to be asked again; `null` where it has wanted that too often. */
export function retried<Scale>(turn: Turn<Scale>, now: number): Turn<Scale> | null {
  if (turn.retries >= MOST_RETRIES) return null;
  return { ...turn, retries: turn.retries + 1, dueAt: now + RETRY_MS };
}

/** Who comes back answers as ever: only one probe in so many waits for one that has become slow. */
const SLOW_PROBE = 8;
const PROBE_TIMES = 2;

/**
 * How long an answer is waited for: what is configured, or less where experience says that no answer
 * will come. It doubles with every failure until the breaker opens; of the probes that follow, most
 * are short, so that the dead cost the living little.
 * @param slowestMs slowest of its latest answers, `null` where too few are known
 */
export function deadlineMs(
  { failures }: Pick<Turn<unknown>, 'failures'>,
  { timeoutMs, slowestMs }: { readonly timeoutMs: number; readonly slowestMs: number | null },
): number {
  if (slowestMs === null) return timeoutMs;
  const expected = Math.max(SHORTEST_DEADLINE_MS, PATIENT_TIMES * slowestMs);
  if (!isOpen({ failures })) return Math.min(timeoutMs, expected * 2 ** failures);
  return failures % SLOW_PROBE === 0 ? timeoutMs : Math.min(timeoutMs, PROBE_TIMES * expected);
}
