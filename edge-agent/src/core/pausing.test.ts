import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNeeded, isTrial, paused, startPausing, type Pausing } from './pausing.ts';

const LONGEST_MS = 500;

/** Requests to a device that answers what comes after `neededMs` of silence. */
function ask(
  from: Pausing,
  requests: number,
  isAnswered: (pauseMs: number) => boolean,
): { readonly state: Pausing; readonly failures: number } {
  let state = from;
  let failures = 0;
  for (let n = 0; n < requests; n += 1) {
    const answered = isAnswered(state.nextMs);
    if (!answered && !isTrial(state)) failures += 1;
    state = paused(state, answered, LONGEST_MS);
  }
  return { state, failures };
}

const needing =
  (neededMs: number) =>
  (pauseMs: number): boolean =>
    pauseMs >= neededMs;

test('a pause is found within three failures, is at most twice what is needed, and stays', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: LONGEST_MS }), (neededMs) => {
      const { state, failures } = ask(startPausing, 60, needing(neededMs));
      expect(failures).toBeLessThanOrEqual(3);
      expect(isNeeded(state)).toBe(true);
      expect(state.keptMs).toBeGreaterThanOrEqual(neededMs);
      expect(state.keptMs).toBeLessThanOrEqual(Math.max(2 * neededMs, neededMs + 10));
      const later = ask(state, 5_000, needing(neededMs));
      expect(later.failures).toBe(0);
      expect(later.state.keptMs).toBe(state.keptMs);
    }),
  );
});

test('one that answers without a pause is never given one', () => {
  expect(ask(startPausing, 10_000, () => true).state).toMatchObject({ keptMs: 0, nextMs: 0 });
});

test('a slave that was off is not taken for one that needs a pause', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), (requests) => {
      const off = ask(startPausing, requests, () => false).state;
      const { state, failures } = ask(off, 60, () => true);
      expect(failures).toBe(0);
      expect(isNeeded(state)).toBe(false);
      expect(state.keptMs).toBe(0);
    }),
  );
});

test('single failures of a noisy line leave a pause that is needed as it is', () => {
  const { state } = ask(startPausing, 100, needing(30));
  const after = paused(state, false, LONGEST_MS);
  expect(after.nextMs).toBe(state.keptMs);
  expect(ask(after, 50, needing(30)).state).toMatchObject({ keptMs: state.keptMs });
});

test('a slave that needed a pause, was off and comes back, is asked with its pause soon', () => {
  const { state } = ask(startPausing, 100, needing(30));
  const off = ask(state, 37, () => false).state;
  const { state: back, failures } = ask(off, 60, needing(30));
  expect(failures).toBeLessThanOrEqual(3);
  expect(isNeeded(back)).toBe(true);
});

test('a device that was replaced by a quicker one loses its pause', () => {
  const { state } = ask(startPausing, 100, needing(120));
  expect(ask(state, 2_000, () => true).state).toMatchObject({ keptMs: 0, tooShortMs: null });
});
