import { DAY_MS } from '#shared/units.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

function wallFormat(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

/** The zone's wall clock at `at`, written as if it were UTC, to the second. */
function wallOf(at: number, zone: string): number {
  const part = new Map<string, number>(
    wallFormat(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const get = (type: string) => part.get(type) ?? 0;
  return Date.UTC(
    get('year'),
    get('month') - 1,
    get('day'),
    get('hour'),
    get('minute'),
    get('second'),
  );
}

const offsetOf = (at: number, zone: string): number =>
  wallOf(at, zone) - Math.floor(at / 1_000) * 1_000;

/** @returns `YYYY-MM-DD`, the zone's date at `at` */
export function dateOf(at: number, zone: string): string {
  return new Date(wallOf(at, zone)).toISOString().slice(0, 10);
}

/**
 * The first instant of a date in a zone: midnight, or what the clock shows right after it where
 * summer time begins at midnight.
 * @param date `YYYY-MM-DD`
 */
export function startOfDate(date: string, zone: string): number {
  const wall = Date.parse(`${date}T00:00:00Z`);
  const candidates = [wall - DAY_MS, wall + DAY_MS]
    .map((near) => wall - offsetOf(near, zone))
    .filter((at) => dateOf(at, zone) === date);
  // A zone that skipped a whole date (Samoa, 2011-12-30) has no start of it.
  return candidates.length > 0 ? Math.min(...candidates) : wall - offsetOf(wall, zone);
}

/** @param date `YYYY-MM-DD` */
export function shiftDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The zone the person's device is set to. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
