import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, failuresAfter } from './backoff.ts';
import { awoken, deadlineMs, nextPoll, polled, retried, startTurn, type Turn } from './turns.ts';

test('who is due first has the next turn, and the rhythm does not drift', () => {
  let turns: Turn<string>[] = [startTurn('a', 1_000), startTurn('b', 400)];
  const order: string[] = [];
  let now = 0;
  while (now < 2_000) {
    const { turn, waitMs } = nextPoll(turns, now);
    now += waitMs;
    order.push(`${turn.scale}@${now}`);
    turns = turns.map((other) => (other === turn ? polled(turn, { answered: true }, now) : other));
  }
  expect(order).toEqual(['a@0', 'b@0', 'b@400', 'b@800', 'a@1000', 'b@1200', 'b@1600', 'a@2000']);
});

test('a line that cannot keep up skips polls instead of queueing them', () => {
  const late = polled({ ...startTurn('a', 100), dueAt: 0 }, { answered: true }, 5_000);
  expect(late.dueAt).toBe(5_100);
});

test('a silent slave is probed less and less often, and at once in rhythm when it answers', () => {
  let turn = startTurn('a', 1_000);
  const pauses = Array.from({ length: 10 }, () => {
    const before = turn.dueAt;
    turn = polled(turn, { answered: false }, before);
    return turn.dueAt - before;
  });
  expect(pauses).toEqual([
    1_000, 1_000, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect(polled(turn, { answered: true }, turn.dueAt).dueAt - turn.dueAt).toBe(1_000);
});

test('a slave polled once an hour is not probed more often because it is silent', () => {
  const turn = polled({ ...startTurn('a', 3_600_000), failures: 9 }, { answered: false }, 0);
  expect(turn.dueAt).toBe(3_600_000);
});

test('backoff lies between half a pause and a whole one, and below its cap', () => {
  fc.assert(
    fc.property(
      fc.nat(2_000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failures, chance) => {
        const pause = backoffMs(failures, chance, { firstMs: 500, mostMs: 30_000 });
        expect(pause).toBeGreaterThanOrEqual(250);
        expect(pause).toBeLessThanOrEqual(30_000);
      },
    ),
  );
});

test('a line that answers in between is tried again soon, however often it has failed', () => {
  const flapping = { stoodMs: 2_000, answeredAgoMs: 50_000 };
  let failures = 0;
  const counts = Array.from({ length: 20 }, () => (failures = failuresAfter(failures, flapping)));
  expect(Math.max(...counts)).toBe(4);
  for (const answeredAgoMs of [null, 60_000]) {
    const dead = { stoodMs: 90_000, answeredAgoMs };
    expect(failuresAfter(failuresAfter(failures, dead), dead)).toBe(6);
  }
  expect(failuresAfter(6, { stoodMs: 60_000, answeredAgoMs: 10 })).toBe(1);
});

const silentSince = (dueAt: number): Turn<string> => ({
  ...startTurn('a', 1_000),
  failures: 5,
  dueAt,
});

test('where all were silent and one answers, the others are asked at once', () => {
  const all = [silentSince(10_000), silentSince(40_000), silentSince(9_000)];
  expect(awoken(all, 10_000).map(({ dueAt }) => dueAt)).toEqual([10_000, 10_000, 9_000]);
  const others = [...all, startTurn('b', 1_000)];
  expect(awoken(others, 10_000)).toEqual(others);
});

test('a probe costs the others one part in 25 of their time', () => {
  const turn = { ...startTurn('a', 1_000), failures: 5, dueAt: 100_000 };
  const after = polled(turn, { answered: false, costMs: 2_000 }, 102_000);
  expect(after.dueAt).toBe(102_000 + 25 * 2_000);
});

test('several that are silent cost the others no more than one, and are found again', () => {
  const turn = { ...startTurn('a', 1_000), failures: 5, dueAt: 100_000 };
  const dueAfter = (costMs: number, silent: number): number =>
    polled(turn, { answered: false, costMs, silent }, 102_000).dueAt - 102_000;
  expect(dueAfter(200, 5)).toBe(5 * 25 * 200);
  expect(dueAfter(200, 31)).toBe(30_000);
  expect(dueAfter(2_000, 5)).toBe(25 * 2_000);
});

test('one that wants to be asked again is asked twice more, and then has failed', () => {
  const once = retried(startTurn('a', 60_000), 0);
  const twice = once === null ? null : retried(once, 100);
  expect(once).toMatchObject({ dueAt: 100, failures: 0 });
  expect(twice).toMatchObject({ dueAt: 200, failures: 0 });
  expect(twice === null ? null : retried(twice, 200)).toBeNull();
});

test('a deadline follows experience, never beyond what is configured; one probe in eight is long', () => {
  const limits = { timeoutMs: 1_000, slowestMs: 30 };
  expect([0, 1, 2, 3, 7, 8, 9, 16].map((failures) => deadlineMs({ failures }, limits))).toEqual([
    120, 240, 480, 240, 240, 1_000, 240, 1_000,
  ]);
  expect(deadlineMs({ failures: 2 }, { timeoutMs: 200, slowestMs: 100 })).toBe(200);
  expect(deadlineMs({ failures: 0 }, { timeoutMs: 1_000, slowestMs: null })).toBe(1_000);
  expect(deadlineMs({ failures: 0 }, { timeoutMs: 1_000, slowestMs: 1 })).toBe(60);
});
