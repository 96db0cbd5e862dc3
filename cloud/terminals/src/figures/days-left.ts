/** Over which time the present speed is taken. */
export const SPEED_DAYS = 7;
/** Fewer days left than this want somebody's attention. */
export const LOW_DAYS = 3;
const MOST_DAYS = 365;

export type DaysLeft =
  | { readonly kind: 'days'; readonly days: number }
  | { readonly kind: 'over-a-year' }
  /** Nothing measured, or nothing consumed lately: no end in sight is not the same as plenty. */
  | { readonly kind: 'unknown'; readonly why: 'no-stock' | 'no-speed' };

/**
 * How long the stock lasts at the present speed.
 * @param quantity pieces or mg; null where nothing was measured
 * @param perDay consumption per day of exposure, same unit; null without exposure
 */
export function daysLeftOf(quantity: number | null, perDay: number | null): DaysLeft {
  if (quantity === null) return { kind: 'unknown', why: 'no-stock' };
  if (quantity <= 0) return { kind: 'days', days: 0 };
  if (perDay === null || perDay <= 0) return { kind: 'unknown', why: 'no-speed' };
  const days = quantity / perDay;
  return days > MOST_DAYS ? { kind: 'over-a-year' } : { kind: 'days', days };
}

/** For sorting: the unknown come last. */
export function daysRank(left: DaysLeft): number {
  if (left.kind === 'days') return left.days;
  return left.kind === 'over-a-year' ? MOST_DAYS + 1 : MOST_DAYS + 2;
}
