import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '#shared/units.ts';
import { periodOf, stepsOf, todayAndWeekBefore } from './period.ts';

const BERLIN = 'Europe/Berlin';
const NOW = Date.UTC(2026, 5, 17, 10, 7); // Wednesday, 12:07 in Berlin
const iso = (at: number) => new Date(at).toISOString().slice(0, 16);
const told = ({ from, to }: { from: number; to: number }) => [iso(from), iso(to)];

test('today runs from midnight to the end of the running quarter hour', () => {
  const period = periodOf({ preset: 'today' }, NOW, BERLIN);
  expect(told(period)).toEqual(['2026-06-16T22:00', '2026-06-17T10:15']);
});

test('seven days are today and the six before it', () => {
  const period = periodOf({ preset: '7-days' }, NOW, BERLIN);
  expect(iso(period.from)).toBe('2026-06-10T22:00');
  expect(stepsOf(period, 'day', BERLIN)).toHaveLength(7);
});

test('a custom period includes its last day, in either order', () => {
  const expected = ['2026-05-31T22:00', '2026-06-03T22:00'];
  const forth = { preset: 'custom', first: '2026-06-01', last: '2026-06-03' } as const;
  const back = { preset: 'custom', first: '2026-06-03', last: '2026-06-01' } as const;
  expect(told(periodOf(forth, NOW, BERLIN))).toEqual(expected);
  expect(told(periodOf(back, NOW, BERLIN))).toEqual(expected);
});

test('a custom period ends now at the latest, and an unreadable one is today', () => {
  const ahead = { preset: 'custom', first: '2026-06-17', last: '2026-06-30' } as const;
  expect(iso(periodOf(ahead, NOW, BERLIN).to)).toBe('2026-06-17T10:15');
  const broken = { preset: 'custom', first: '2026-13-77', last: 'x' } as const;
  expect(periodOf(broken, NOW, BERLIN)).toEqual(periodOf({ preset: 'today' }, NOW, BERLIN));
});

test('the week before is as long as today so far and begins on the same weekday', () => {
  const { today, weekBefore } = todayAndWeekBefore(NOW, BERLIN);
  expect(today.from - weekBefore.from).toBe(7 * DAY_MS);
  expect(weekBefore.to - weekBefore.from).toBe(today.to - today.from);
});

test('days of a changed clock are still one step each', () => {
  const period = {
    from: Date.UTC(2026, 9, 23, 22),
    to: Date.UTC(2026, 9, 26, 23),
  };
  const steps = stepsOf(period, 'day', BERLIN);
  expect(steps.map((at, index) => ((steps[index + 1] ?? period.to) - at) / HOUR_MS)).toEqual([
    24, 25, 24,
  ]);
  expect(stepsOf(period, 'hour', BERLIN)).toHaveLength(73);
});
