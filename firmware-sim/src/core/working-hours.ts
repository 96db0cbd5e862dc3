import { HOUR_MS, ROLLUP_MS } from '#shared/units.ts';
import { hourShare, type Rhythm } from './rhythm.ts';

/** Where and when people work. */
export interface WorkingHours {
  readonly rhythm: Rhythm;
  readonly timeZone: string;
}

/** Every zone's hours begin on a quarter of an hour UTC. */
const STEP_MS = ROLLUP_MS;

/** Share of a full working day's amount used per ms around `at`. */
function rateAt({ rhythm, timeZone }: WorkingHours, at: number): number {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  return hourShare(rhythm, local.dayOfWeek, local.hour) / HOUR_MS;
}

const stepEnd = (at: number): number => (Math.floor(at / STEP_MS) + 1) * STEP_MS;

/**
 * The instant by which `days` full working days' worth of activity has passed since `from`.
 * @param days > 0, may be a fraction
 * @returns ms since 1970 UTC, an integer > `from`
 */
export function afterWork(hours: WorkingHours, from: number, days: number): number {
  let at = from;
  let left = days;
  for (;;) {
    const end = stepEnd(at);
    const rate = rateAt(hours, at);
    const share = rate * (end - at);
    if (share >= left) return Math.max(from + 1, Math.round(at + left / rate));
    left -= share;
    at = end;
  }
}

/** The first instant at or after `from` at which someone works. */
export function nextWorking(hours: WorkingHours, from: number): number {
  let at = from;
  while (rateAt(hours, at) === 0) at = stepEnd(at);
  return at;
}
