import { expect, test } from 'vitest';
import { NO_PACE, paceAfter, windowFor } from './credit.ts';

test('a lone agent at a quick cloud may send the most ahead', () => {
  expect(windowFor({ batches: 100, busyMs: 100 }, 1)).toBe(64);
});

test('agents share what can be committed within 400 ms', () => {
  expect(windowFor({ batches: 500, busyMs: 1_000 }, 20)).toBe(10);
  expect(windowFor({ batches: 500, busyMs: 1_000 }, 10)).toBe(20);
});

test('a stalled cloud leaves each agent a few, and does not stop it', () => {
  expect(windowFor({ batches: 1, busyMs: 60_000 }, 1_000)).toBe(4);
  expect(windowFor(NO_PACE, 0)).toBe(4);
});

test('the pace is that of the newest groups', () => {
  let pace = { batches: 1_000, busyMs: 1_000 };
  for (let group = 0; group < 20; group += 1) pace = paceAfter(pace, { batches: 10, busyMs: 100 });
  expect(pace.batches / pace.busyMs).toBeCloseTo(0.1, 1);
});
