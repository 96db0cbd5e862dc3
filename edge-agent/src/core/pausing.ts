/**
 * What is learned of the pause that someone needs before a request: a slave since the line was last
 * busy, a line since it was opened. Some ignore what comes too soon (telegraf#9253,
 * thingsboard-gateway#1664). That errors vanish with a pause shows nothing yet, since a slave that was
 * off comes back as well; so the shorter pause is tried once more, and only where it fails again is
 * the pause taken for needed. All times in ms.
 */
export interface Pausing {
  /** Kept as long as all goes well. */
  readonly keptMs: number;
  /** The longest one that was tried in place of the kept one, and failed; `null` where none has. */
  readonly tooShortMs: number | null;
  /** The one before the next request. */
  readonly nextMs: number;
  /** Answers in a row with the kept one, and with a shorter one on trial. */
  readonly answers: number;
  readonly trialAnswers: number;
  /** Failures in a row, trials left out. */
  readonly failures: number;
  /** Answers before the next trial. */
  readonly trialAfter: number;
}

/** The first pause that is tried; each next one is so many times longer. */
const FIRST_MS = 20;
const GROWTH = 5;

/** Who stays silent is dead rather than impatient: pauses are tried again after so many failures. */
const SEARCH_AGAIN_AFTER = 16;

/** So many answers in a row are no chance: to believe in a pause, and in a shorter one. */
const SURE_ANSWERS = 4;

/** Two pauses closer than this are not worth another trial. */
const CLOSE_MS = 5;

/** Once the pause is known, whether it is still needed is tried after so many answers, then twice that … */
const CHECK_AFTER = 1_000;
const CHECK_AT_LEAST_EVERY = 64_000;

export const startPausing: Pausing = {
  keptMs: 0,
  tooShortMs: null,
  nextMs: 0,
  answers: 0,
  trialAnswers: 0,
  failures: 0,
  trialAfter: SURE_ANSWERS,
};

/** Whether the kept pause is known to be needed. */
export const isNeeded = ({ keptMs, tooShortMs }: Pausing): boolean =>
  keptMs > 0 && tooShortMs !== null;

/** Whether the next request comes sooner than is known to be safe; its failure is no news. */
export const isTrial = ({ nextMs, keptMs, failures }: Pausing): boolean =>
  failures === 0 && nextMs < keptMs;

/**
 * What a request after the pause `nextMs` has shown.
 * @param longestMs the longest pause that is tried
 */
export function paused(state: Pausing, answered: boolean, longestMs: number): Pausing {
  if (isTrial(state)) return answered ? trialAnswered(state) : trialFailed(state);
  if (!answered)
    return { ...state, answers: 0, failures: state.failures + 1, nextMs: longer(state, longestMs) };
  if (state.nextMs !== state.keptMs) return kept(state.nextMs);
  const { keptMs, trialAfter } = state;
  const answers = state.answers + 1;
  const isDue = keptMs > 0 && answers >= trialAfter;
  return { ...state, answers, failures: 0, nextMs: isDue ? shorter(state) : keptMs };
}

const kept = (pauseMs: number): Pausing => ({
  ...startPausing,
  keptMs: pauseMs,
  nextMs: pauseMs,
  answers: 1,
});

/** One failure with a pause that is needed and was enough so far says little: once more with it. */
function longer(state: Pausing, longestMs: number): number {
  const { keptMs, nextMs, failures } = state;
  if (isNeeded(state) && failures === 0) return keptMs;
  // Not the pause, or only the kept one.
  if (nextMs >= longestMs) return keptMs;
  if (nextMs === keptMs && failures % SEARCH_AGAIN_AFTER > 1) return keptMs;
  return Math.min(longestMs, nextMs === 0 ? FIRST_MS : nextMs * GROWTH);
}

/** None first; then between what is too short and what is enough; at last whether that still holds. */
function shorter({ keptMs, tooShortMs }: Pausing): number {
  if (tooShortMs === null) return 0;
  return isClose(keptMs, tooShortMs) ? tooShortMs : Math.round((keptMs + tooShortMs) / 2);
}

const isClose = (keptMs: number, tooShortMs: number): boolean =>
  keptMs - tooShortMs <= Math.max(CLOSE_MS, tooShortMs);

function trialAnswered(state: Pausing): Pausing {
  const { nextMs, tooShortMs } = state;
  const trialAnswers = state.trialAnswers + 1;
  if (trialAnswers < SURE_ANSWERS) return { ...state, trialAnswers };
  const isRefuted = tooShortMs !== null && tooShortMs >= nextMs;
  return { ...kept(nextMs), tooShortMs: isRefuted ? null : tooShortMs };
}

function trialFailed(state: Pausing): Pausing {
  const { keptMs, nextMs, trialAfter } = state;
  const isCheck = isClose(keptMs, nextMs);
  const later = Math.min(CHECK_AT_LEAST_EVERY, Math.max(CHECK_AFTER, 2 * trialAfter));
  return {
    ...state,
    tooShortMs: nextMs,
    nextMs: keptMs,
    answers: 0,
    trialAnswers: 0,
    trialAfter: isCheck ? later : SURE_ANSWERS,
  };
}
