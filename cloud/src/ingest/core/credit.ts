/** Fewest and most batches an agent may have sent and not yet receipted. */
const MIN_WINDOW = 4;
const MAX_WINDOW = 64;

/**
 * How long a batch should wait for its receipt. Well below the five seconds after which an agent
 * sends again, so that being slow does not make more work; and enough for large groups.
 */
const TARGET_MS = 400;
/** Weight of what was known before each group: the last five or so count. */
const MEMORY = 0.8;

/** How fast groups were committed lately. */
export interface Pace {
  readonly batches: number;
  readonly busyMs: number;
}

export const NO_PACE: Pace = { batches: 0, busyMs: 0 };

/** @param group its batches, and how long it took from being taken up to its commit */
export function paceAfter({ batches, busyMs }: Pace, group: Pace): Pace {
  return {
    batches: batches * MEMORY + group.batches,
    busyMs: busyMs * MEMORY + group.busyMs,
  };
}

/**
 * Each agent's share of what can be committed in the time a batch should wait (Little's law): the
 * slower the commits or the more the agents, the less each may send ahead.
 * @param agents how many have sent batches lately
 */
export function windowFor({ batches, busyMs }: Pace, agents: number): number {
  const share = ((batches / Math.max(1, busyMs)) * TARGET_MS) / Math.max(1, agents);
  return Math.max(MIN_WINDOW, Math.min(MAX_WINDOW, Math.floor(share)));
}
