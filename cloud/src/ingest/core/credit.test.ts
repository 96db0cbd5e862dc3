import { expect, test } from 'vitest';
import { FIRST_WINDOW, MAX_WINDOW, MIN_WINDOW, PATIENCE_MS, nextWindow } from './credit.ts';

test('quick commits widen the window step by step up to its limit', () => {
  expect(nextWindow(FIRST_WINDOW, PATIENCE_MS)).toBe(FIRST_WINDOW + 1);
  expect(nextWindow(MAX_WINDOW, 0)).toBe(MAX_WINDOW);
});

test('slow commits halve it, but an agent is never stopped', () => {
  expect(nextWindow(FIRST_WINDOW, PATIENCE_MS + 1)).toBe(FIRST_WINDOW / 2);
  expect(nextWindow(MIN_WINDOW, 60_000)).toBe(MIN_WINDOW);
});
