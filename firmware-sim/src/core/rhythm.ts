/**
 * How work is spread over the hours of a week, as data. A span gives the weight of each of its
 * hours, local time, `to` exclusive; hours without a span are idle.
 */
export interface Span {
  /** 1 Monday … 7 Sunday */
  readonly days: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly weight: number;
}

export const RHYTHM_NAMES = ['one-shift', 'two-shift', 'round-the-clock'] as const;
export type RhythmName = (typeof RHYTHM_NAMES)[number];
/** One of these, or a table of its own: see {@link hourlyShares}. */
export type Rhythm = RhythmName | readonly number[];

const WORKDAYS = [1, 2, 3, 4, 5];
const FRIDAY = 5;
const SATURDAY = 6;
const SUNDAY = 7;
const EVERY_DAY = [...WORKDAYS, SATURDAY, SUNDAY];

const SPANS: Record<RhythmName, readonly Span[]> = {
  'one-shift': [
    { days: WORKDAYS, from: 7, to: 9, weight: 1.2 },
    { days: WORKDAYS, from: 9, to: 10, weight: 0.7 },
    { days: WORKDAYS, from: 10, to: 12, weight: 1.1 },
    { days: WORKDAYS, from: 12, to: 13, weight: 0.3 },
    { days: [1, 2, 3, 4], from: 13, to: 16, weight: 1 },
    { days: [FRIDAY], from: 13, to: 14, weight: 0.8 },
  ],
  'two-shift': [
    { days: WORKDAYS, from: 6, to: 9, weight: 1.2 },
    { days: WORKDAYS, from: 9, to: 10, weight: 0.6 },
    { days: WORKDAYS, from: 10, to: 14, weight: 1.1 },
    { days: WORKDAYS, from: 14, to: 18, weight: 1 },
    { days: WORKDAYS, from: 18, to: 19, weight: 0.5 },
    { days: [1, 2, 3, 4], from: 19, to: 22, weight: 0.8 },
    { days: [FRIDAY], from: 19, to: 22, weight: 0.4 },
    { days: [SATURDAY], from: 6, to: 12, weight: 0.5 },
  ],
  'round-the-clock': [
    { days: EVERY_DAY, from: 0, to: 6, weight: 0.7 },
    { days: WORKDAYS, from: 6, to: 22, weight: 1 },
    { days: [SATURDAY, SUNDAY], from: 6, to: 22, weight: 0.8 },
    { days: EVERY_DAY, from: 22, to: 24, weight: 0.7 },
  ],
};

const DAYS_PER_WEEK = 7;
const HOURS_PER_DAY = 24;

const HOURLY = Object.fromEntries(
  RHYTHM_NAMES.map((name) => [name, hourlyShares(SPANS[name])]),
) as Record<RhythmName, readonly number[]>;

/**
 * Share of a full working day's amount that falls into each hour of the week, Monday 0:00 first; the
 * day of the most work is a full one.
 */
export function hourlyShares(spans: readonly Span[]): readonly number[] {
  const weights = Array.from({ length: DAYS_PER_WEEK * HOURS_PER_DAY }, (_, index) => {
    const day = Math.floor(index / HOURS_PER_DAY) + 1;
    const hour = index % HOURS_PER_DAY;
    const span = spans.find((s) => s.days.includes(day) && s.from <= hour && hour < s.to);
    return span?.weight ?? 0;
  });
  const fullDay = Math.max(
    ...Array.from({ length: DAYS_PER_WEEK }, (_, day) =>
      weights
        .slice(day * HOURS_PER_DAY, (day + 1) * HOURS_PER_DAY)
        .reduce((sum, weight) => sum + weight, 0),
    ),
  );
  return weights.map((weight) => weight / fullDay);
}

/**
 * @param weekday 1 Monday … 7 Sunday
 * @returns the share of a full working day's amount used in this hour; 0 outside working hours
 */
export function hourShare(rhythm: Rhythm, weekday: number, hour: number): number {
  const shares = typeof rhythm === 'string' ? HOURLY[rhythm] : rhythm;
  return shares[(weekday - 1) * HOURS_PER_DAY + hour] ?? 0;
}
