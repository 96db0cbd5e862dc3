import { expect, test } from 'vitest';
import { pauseMs } from './event-stream.ts';

test('pauses between tries double and end at half a minute', () => {
  const most = [1, 2, 3, 6, 50].map((failures) => pauseMs(failures, 1));
  expect(most).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
});

test('pauses are spread, and never shorter than half', () => {
  expect(pauseMs(3, 0)).toBe(2_000);
});
