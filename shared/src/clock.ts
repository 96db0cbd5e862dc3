/** Time as a program sees it. Schedules use `monotonicMs`; only what is recorded uses `wallMs`. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC; may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed instant; never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
