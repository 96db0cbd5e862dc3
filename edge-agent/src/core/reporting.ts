import type { Gap } from '#shared/reading.ts';
import { MINUTE_MS } from '#shared/units.ts';
import { meanVariance, pooled, type Level } from './level.ts';

/** The newest reading of a bin that was reported; all that reporting needs to go on from. */
export interface Reported extends Level {
  /** Up to here every stretch was either measured or is in a gap record, ms since 1970 UTC. */
  readonly accountedTo: number;
  /** Whether it told of a change that no later reading has confirmed. */
  readonly unconfirmed: boolean;
}

/**
 * Reporting of one bin. All of it but `reported` starts afresh with every report, so that after a
 * crash reporting goes on from the newest reading of the outbox as if nothing had happened.
 */
export interface Reporting {
  readonly reported: Reported | null;
  /** Levels since the last report that agree with each other, pooled. */
  readonly pool: (Level & { value: number }) | null;
  /** Levels refused since the last report because the device's clock stood before it. */
  readonly refused: number;
}

export interface ReportOptions {
  /** Smallest step of the display, in the unit of the value. */
  readonly division: number;
  readonly heartbeatMs: number;
}

export interface Report {
  readonly level: Reported;
  readonly gap: Omit<Gap, 'bin'> | null;
}

/** A clock that is set back by no more than this counts as one that stood still. */
const CLOCK_TOLERANCE_MS = 2_000;

/**
 * A changed level is reported once more after this time, however slow the heartbeat: whether it
 * lasts is what tells goods from a leaning hand, and nobody should wait for a heartbeat to know.
 */
const CONFIRM_MS = MINUTE_MS;

/** A silence longer than this many heartbeats was not measured. */
const SILENT_HEARTBEATS = 1.5;

/** A difference of means beyond this many standard errors is a change: 1 in 370 by chance. */
const SIGNIFICANT_SIGMAS = 3;

export const startReporting = (reported: Reported | null): Reporting => ({
  reported,
  pool: null,
  refused: 0,
});

/** A level that cannot be taken is counted, and stands in the gap record of the next reading. */
function refused(state: Reporting): Reporting {
  return { ...state, refused: state.refused + 1 };
}

/**
 * Report by exception: a level is worth a reading when it differs from the last one reported, when
 * the quality changes, once more to confirm a change, or when the heartbeat is due. A confirmation
 * and a heartbeat are the mean of all samples since the last report: the more of them, the smaller
 * a drift is seen.
 *
 * `at` is strictly increasing: where the clock stood still (or went back by up to 2 s) the reading
 * gets the next millisecond; where it went back further, levels are refused and counted until the
 * time is past the newest reading again, and the next reading carries a gap record of them.
 */
export function report(
  state: Reporting,
  level: Level,
  options: ReportOptions,
): { readonly state: Reporting; readonly report: Report | null } {
  const { reported, pool } = state;
  const { heartbeatMs } = options;
  if (reported === null) return reportedNow(state, level, options);
  if (level.at <= reported.at - CLOCK_TOLERANCE_MS) return { state: refused(state), report: null };
  const dueMs = reported.unconfirmed ? Math.min(CONFIRM_MS, heartbeatMs) : heartbeatMs;
  const due = level.at - reported.at >= dueMs;
  if (level.quality !== reported.quality) return reportedNow(state, level, options, 'change');
  if (!isGood(level) || !isGood(reported)) {
    return due ? reportedNow(state, level, options) : { state, report: null };
  }
  if (differs(level, reported, options)) return reportedNow(state, level, options, 'change');
  const kept = pool !== null && !differs(level, pool, options) ? pooled(pool, level) : level;
  if (differs(kept, reported, options)) return reportedNow(state, kept, options, 'change');
  if (due) return reportedNow(state, kept, options);
  return { state: { ...state, pool: kept }, report: null };
}

const isGood = (level: Level): level is Level & { value: number } =>
  level.quality === 'good' && level.value !== null;

/** Further apart than one division and than chance explains. */
function differs(
  a: Level & { value: number },
  b: Level & { value: number },
  { division }: ReportOptions,
): boolean {
  const chance = SIGNIFICANT_SIGMAS * Math.sqrt(meanVariance(a) + meanVariance(b));
  return Math.abs(a.value - b.value) > Math.max(division, chance);
}

function reportedNow(
  { reported, refused }: Reporting,
  level: Level,
  options: ReportOptions,
  cause: 'change' | 'due' = 'due',
): { state: Reporting; report: Report } {
  const at = reported === null ? level.at : Math.max(level.at, reported.at + 1);
  const now: Level = {
    at,
    value: level.value === null ? null : Math.round(level.value),
    samples: level.value === null ? 0 : level.samples,
    spread: Math.round(level.spread),
    quality: level.quality,
  };
  const gap = reported === null ? null : gapBefore(now, reported, refused, options);
  const measured = now.value !== null || gap !== null;
  const accountedTo = measured ? at : (reported?.accountedTo ?? at);
  const newest: Reported = { ...now, accountedTo, unconfirmed: cause === 'change' };
  return { state: startReporting(newest), report: { level: newest, gap } };
}

/** What was not measured between two readings, if anything. */
function gapBefore(
  now: Level,
  reported: Reported,
  refused: number,
  { heartbeatMs }: ReportOptions,
): Omit<Gap, 'bin'> | null {
  const from = reported.value === null ? reported.accountedTo : reported.at;
  const to = now.at;
  if (refused > 0) return { from, to, count: refused, why: 'dropped' };
  const silent = to - reported.at > SILENT_HEARTBEATS * heartbeatMs;
  const recovered = reported.value === null && now.value !== null;
  if (!silent && !recovered) return null;
  return to > from ? { from, to, count: 0, why: 'not-measured' } : null;
}
