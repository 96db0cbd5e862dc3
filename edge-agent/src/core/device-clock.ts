import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';

/**
 * The time that readings get. It never goes back, whatever the machine's clock does, and it knows
 * whether it can be trusted. Monotonic milliseconds count from the machine's boot, so that they mean
 * the same after a restart of the agent within one boot.
 */

/** A stretch of one boot in which device time was monotonic time plus one offset. */
export interface ClockSegment {
  /** The boot's id: monotonic times of different boots have nothing to do with each other. */
  readonly boot: string;
  /** Device time less monotonic time, ms. */
  readonly offsetMs: number;
  readonly synced: boolean;
}

/**
 * What the machine says about its clock: set by NTP in this boot; not set yet; an NTP client that
 * does not say (only a jump shows that it set the clock); or nothing at all, so that a plausible
 * clock is taken for right.
 */
export type Evidence = 'synced' | 'unsynced' | 'waiting' | 'assumed';

export interface Instant {
  /** ms since 1970 UTC, as the machine has it. */
  readonly wallMs: number;
  /** ms since boot. */
  readonly monotonicMs: number;
}

export interface DeviceClock {
  readonly segment: ClockSegment;
  /** Newest device time told, ms since 1970 UTC; with a fraction while it runs slow. */
  readonly at: number;
  /** When it was told, ms since boot. */
  readonly toldAtMs: number;
  readonly startedAtMs: number;
  /** Wall less monotonic time at the start, ms. */
  readonly firstOffsetMs: number;
}

export interface Stamp {
  readonly at: number;
  readonly synced: boolean;
  readonly segment: ClockSegment;
}

/** The clock of a device that never was set stands before this: 2025-01-01. */
export const PLAUSIBLE_MS = 1_735_689_600_000;

/** NTP slews what is smaller than about a second, and steps the rest. */
export const STEP_MS = 2_000;

/** Readings wait so long to be stamped anew before they go out as they are. */
export const HOLD_MS = 15 * 60_000;

/** A clock that is ahead of the wall runs at half the speed until the wall has caught up. */
const SLOW = 0.5;

export interface StartOptions {
  readonly boot: string;
  readonly now: Instant;
  readonly evidence: Evidence;
  /** Newest device time on record, from any boot; 0 for none. */
  readonly newestAt: number;
  /** Segments of this boot that earlier runs of the agent left. */
  readonly stored: readonly ClockSegment[];
}

/**
 * A device that boots behind its own records (1970, or where fake-hwclock left it) goes on from
 * them: the true time cannot be earlier.
 */
export function startClock(options: StartOptions): DeviceClock {
  const { boot, now, evidence, newestAt, stored } = options;
  const { wallMs, monotonicMs } = now;
  const own = stored.filter((segment) => segment.boot === boot);
  const unsynced = own.find(({ synced }) => !synced);
  const isBehind = wallMs < newestAt - STEP_MS;
  const isRight =
    evidence === 'synced' ||
    (evidence === 'assumed' && isPlausible(wallMs) && !isBehind) ||
    (evidence === 'waiting' && own.some(({ synced }) => synced));
  const isSynced = isRight && unsynced === undefined;
  const first = isSynced ? wallMs : Math.max(1, wallMs, newestAt + 1);
  const offsetMs = unsynced?.offsetMs ?? first - monotonicMs;
  return {
    segment: { boot, offsetMs, synced: isSynced },
    at: newestAt,
    toldAtMs: monotonicMs,
    startedAtMs: monotonicMs,
    firstOffsetMs: wallMs - monotonicMs,
  };
}

const isPlausible = (wallMs: number): boolean => wallMs >= PLAUSIBLE_MS;

/** The time of now, never before the one told last. */
export function tell(
  clock: DeviceClock,
  now: Instant,
): { readonly clock: DeviceClock; readonly stamp: Stamp } {
  const { wallMs, monotonicMs } = now;
  const { segment } = clock;
  const elapsedMs = Math.max(0, monotonicMs - clock.toldAtMs);
  if (!segment.synced) {
    const at = Math.max(clock.at, segment.offsetMs + monotonicMs);
    return stamped({ ...clock, at, toldAtMs: monotonicMs }, segment, false);
  }
  if (isBeyondReach(clock, now)) {
    // At half the speed it would take years; and at the full one it can be shifted once proved.
    const ahead = { ...segment, offsetMs: Math.ceil(clock.at - clock.toldAtMs), synced: false };
    return tell({ ...clock, segment: ahead }, now);
  }
  const offsetMs = wallMs - monotonicMs;
  const moved = Math.abs(offsetMs - segment.offsetMs) > STEP_MS / 2;
  const next = moved ? { ...segment, offsetMs } : segment;
  const at = wallMs >= clock.at ? wallMs : Math.max(wallMs, clock.at + elapsedMs * SLOW);
  const synced = at - wallMs <= STEP_MS;
  return stamped({ ...clock, segment: next, at, toldAtMs: monotonicMs }, next, synced);
}

function stamped(
  clock: DeviceClock,
  segment: ClockSegment,
  synced: boolean,
): { clock: DeviceClock; stamp: Stamp } {
  return { clock, stamp: { at: Math.max(1, Math.floor(clock.at)), synced, segment } };
}

/**
 * Looks whether the clock has become right.
 * @returns the segment in which time is right, where what was stamped so far is to be shifted to it
 */
export function synchronised(
  clock: DeviceClock,
  now: Instant,
  evidence: Evidence,
): ClockSegment | null {
  const { segment } = clock;
  if (segment.synced || !isPlausible(now.wallMs)) return null;
  const offsetMs = now.wallMs - now.monotonicMs;
  const isBehind = offsetMs < segment.offsetMs - STEP_MS;
  const stepped = offsetMs - clock.firstOffsetMs > STEP_MS;
  const waited = now.monotonicMs - clock.startedAtMs >= HOLD_MS;
  const isRight =
    evidence === 'synced' ||
    (evidence === 'assumed' && !isBehind) ||
    (evidence === 'waiting' && !isBehind && (stepped || waited));
  return isRight ? { boot: segment.boot, offsetMs, synced: true } : null;
}

/** Goes on in true time, by how much what was stamped before has been shifted, ms. */
export function adopt(
  clock: DeviceClock,
  segment: ClockSegment,
  shifted: { readonly shiftMs: number; readonly newestAt: number },
): DeviceClock {
  return { ...clock, segment, at: Math.max(clock.at + shifted.shiftMs, shifted.newestAt) };
}

/**
 * Whether time is so far ahead of a clock that is now known to be right that it has to go back: the
 * cloud took nothing that was as far ahead as that, and would not for as long as it takes to catch up.
 */
export function isBeyondReach(clock: DeviceClock, { wallMs }: Instant): boolean {
  return isPlausible(wallMs) && clock.at - wallMs > MAX_AHEAD_MS;
}

/** Begins a new stretch of time behind the one that was ahead. */
export function turnedBack(
  clock: DeviceClock,
  segment: ClockSegment,
  newestAt: number,
): DeviceClock {
  return { ...clock, segment, at: newestAt };
}

/** A part of device time that was moved: what `from` stamped is `shiftMs` later in `to`. */
export interface Moved {
  readonly from: ClockSegment;
  readonly to: ClockSegment;
  readonly shiftMs: number;
}

/**
 * Goes on from records that are found only now, as {@link startClock} would have.
 * @returns by how much what was stamped so far is to be moved
 */
export function goOnFrom(
  clock: DeviceClock,
  newestAt: number,
): { readonly clock: DeviceClock; readonly moved: Moved } {
  const { segment: from, startedAtMs } = clock;
  const firstAt = from.offsetMs + startedAtMs;
  const shiftMs = from.synced ? 0 : Math.max(0, newestAt + 1 - firstAt);
  const to = { ...from, offsetMs: from.offsetMs + shiftMs };
  const at = Math.max(clock.at + shiftMs, newestAt);
  return { clock: { ...clock, segment: to, at }, moved: { from, to, shiftMs } };
}

/** Whether readings of an unsynchronised clock should still wait for the true time. */
export function isHolding(clock: DeviceClock, now: Instant): boolean {
  if (clock.segment.synced) return false;
  const waited = now.monotonicMs - clock.startedAtMs >= HOLD_MS;
  return !waited || !isPlausible(clock.segment.offsetMs + now.monotonicMs);
}
