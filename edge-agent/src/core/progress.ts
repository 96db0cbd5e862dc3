/** One thing that has to go on for the agent to be of use; instants are monotonic milliseconds. */
export interface ProgressPart {
  readonly name: string;
  /** It may rest for so long: until its next poll, its next attempt. */
  readonly patienceMs: number;
  readonly movedAt: number;
  /** Whether it rests because there is nothing to do, however long. */
  readonly isIdle: boolean;
}

/** @returns the names of those that should have moved and did not */
export function stalledParts(parts: readonly ProgressPart[], now: number): string[] {
  return parts
    .filter(({ movedAt, patienceMs, isIdle }) => !isIdle && now - movedAt > patienceMs)
    .map(({ name }) => name);
}
