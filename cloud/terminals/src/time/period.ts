import { HOUR_MS, ROLLUP_MS } from '#shared/units.ts';
import { dateOf, shiftDate, startOfDate } from './zone.ts';

export const PRESETS = ['today', '7-days', '14-days', 'custom'] as const;
export type Preset = (typeof PRESETS)[number];

/** From inclusive, to exclusive, ms since 1970 UTC. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

export interface PeriodChoice {
  readonly preset: Preset;
  /** First and last day, `YYYY-MM-DD`, both inclusive; only of a custom period. */
  readonly first?: string | undefined;
  readonly last?: string | undefined;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const isDate = (text: string | undefined): text is string =>
  text !== undefined && DATE.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** The end of the rollup that holds `now`: figures of the running quarter hour are included. */
export const upToNow = (now: number): number => Math.floor(now / ROLLUP_MS) * ROLLUP_MS + ROLLUP_MS;

/**
 * @param zone whose midnight days begin at
 * @returns the period; an incomplete custom one is today
 */
export function periodOf(choice: PeriodChoice, now: number, zone: string): Period {
  const today = dateOf(now, zone);
  const daysBack = choice.preset === '7-days' ? 6 : choice.preset === '14-days' ? 13 : 0;
  const end = upToNow(now);
  if (choice.preset === 'custom' && isDate(choice.first) && isDate(choice.last)) {
    const [first, last] = [choice.first, choice.last].sort();
    const from = startOfDate(first ?? today, zone);
    const to = startOfDate(shiftDate(last ?? today, 1), zone);
    return { from, to: Math.max(Math.min(to, end), from + ROLLUP_MS) };
  }
  return { from: startOfDate(shiftDate(today, -daysBack), zone), to: end };
}

/** Today so far, and the same stretch of the same weekday a week ago. */
export function todayAndWeekBefore(
  now: number,
  zone: string,
): { readonly today: Period; readonly weekBefore: Period } {
  const date = dateOf(now, zone);
  const today = { from: startOfDate(date, zone), to: upToNow(now) };
  const from = startOfDate(shiftDate(date, -7), zone);
  return { today, weekBefore: { from, to: from + (today.to - today.from) } };
}

export type ChartStep = 'hour' | 'day';

/** Starts of the steps that cover a period, oldest first. */
export function stepsOf({ from, to }: Period, step: ChartStep, zone: string): number[] {
  const starts: number[] = [];
  if (step === 'hour') {
    for (let at = from; at < to; at += HOUR_MS) starts.push(at);
    return starts;
  }
  let date = dateOf(from, zone);
  for (let at = from; at < to; at = startOfDate(date, zone)) {
    starts.push(at);
    date = shiftDate(date, 1);
  }
  return starts;
}
