import { DAY_MS, HOUR_MS, ROLLUP_MS } from '#shared/units.ts';

export type ConsumptionStep = 'total' | 'day' | 'hour' | 'quarter-hour';

export interface Period {
  /** ms since 1970 UTC, inclusive. */
  readonly from: number;
  /** ms since 1970 UTC, exclusive. */
  readonly to: number;
}

const STEP_MS: Record<Exclude<ConsumptionStep, 'total'>, number> = {
  day: DAY_MS,
  hour: HOUR_MS,
  'quarter-hour': ROLLUP_MS,
};

/** About how many steps a period has, without listing them; clock changes add or take a few. */
export function roughSteps({ from, to }: Period, step: ConsumptionStep): number {
  return step === 'total' ? 1 : Math.ceil((to - from) / STEP_MS[step]);
}

/**
 * Where the steps of a period begin: at the local midnights, hours or quarters of `timeZone`, the
 * first and the last being cut off where the period is. A step ends where the next begins, the
 * last one at `to`, so that together they are the period.
 * @returns ms since 1970 UTC, ascending; the first is `from`
 */
export function stepStarts(period: Period, step: ConsumptionStep, timeZone: string): number[] {
  const { from, to } = period;
  const starts = [from];
  if (step === 'total') return starts;
  if (step === 'day') {
    let midnight = startOfNextDay(zoned(from, timeZone));
    while (midnight.epochMilliseconds < to) {
      starts.push(midnight.epochMilliseconds);
      midnight = startOfNextDay(midnight);
    }
    return starts;
  }
  const length = STEP_MS[step];
  for (const { begin, end, offsetMs } of offsetSpans(period, timeZone)) {
    let at = Math.ceil((begin + offsetMs) / length) * length - offsetMs;
    if (at <= from) at += length;
    for (; at < end; at += length) starts.push(at);
  }
  return starts;
}

function zoned(ms: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
}

/** Midnight, or the first instant after it where the clock skips midnight (Cairo, Beirut). */
function startOfNextDay(time: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  return time.toPlainDate().add({ days: 1 }).toZonedDateTime(time.timeZoneId);
}

/** The period's parts within which the zone's offset from UTC stays the same. */
function offsetSpans({ from, to }: Period, timeZone: string) {
  const spans: { begin: number; end: number; offsetMs: number }[] = [];
  let time = zoned(from, timeZone);
  for (;;) {
    const change = time.getTimeZoneTransition('next');
    const end = Math.min(change?.epochMilliseconds ?? to, to);
    const offsetMs = Math.round(time.offsetNanoseconds / 1e6);
    spans.push({ begin: time.epochMilliseconds, end, offsetMs });
    if (change === null || change.epochMilliseconds >= to) return spans;
    time = change;
  }
}

/** A part of a rollup bucket that lies in one step while the rest of the bucket does not. */
export interface BucketPart extends Period {
  readonly bucket: number;
  /** Index of the step, from 0. */
  readonly step: number;
}

/**
 * The parts of rollup buckets that are cut by a boundary, so that no step can take the whole of
 * them: at the period's ends, and at every boundary in a zone whose offset from UTC is no multiple
 * of 15 minutes (Monrovia before 1972).
 */
export function bucketParts(starts: readonly number[], to: number): BucketPart[] {
  const ends = [...starts.slice(1), to];
  const cut = new Set([...starts, to].filter((at) => at % ROLLUP_MS !== 0).map(bucketOf));
  return starts.flatMap((start, step) => {
    const end = ends[step] ?? to;
    return [...new Set([bucketOf(start), bucketOf(end)])]
      .filter((bucket) => cut.has(bucket) && bucket < end)
      .map((bucket) => ({
        bucket,
        step,
        from: Math.max(start, bucket),
        to: Math.min(end, bucket + ROLLUP_MS),
      }));
  });
}

/** Start of the rollup bucket that `at` lies in. */
export function bucketOf(at: number): number {
  return at - (at % ROLLUP_MS);
}
