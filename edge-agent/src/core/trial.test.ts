import { describe, expect, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import { expectationsOf, reasonOf, unfulfilled, type TrialLink } from './trial.ts';

const TRIAL_MS = 60_000;
const [a1, a2, b1] = [binId('a1'), binId('a2'), binId('b1')];
const link = (
  name: string,
  bins: readonly string[],
  change: Partial<TrialLink> = {},
): TrialLink => ({
  name,
  isChanged: false,
  timeoutMs: 1_000,
  bins: bins.map((bin) => ({ bin: binId(bin), pollMs: 1_000 })),
  ...change,
});
const expected = (links: readonly TrialLink[], ...answered: readonly string[]) =>
  expectationsOf(links, new Set(answered), TRIAL_MS);

describe('a trial waits for', () => {
  test('every bin that was read before, in a link that is as it was', () => {
    const kept = [{ link: 'a', of: 'all', bins: [a1] }];
    expect(expected([link('a', ['a1', 'a2'])], 'a1')).toEqual({
      changed: [],
      kept,
      keptWithinMs: 3_000,
    });
  });

  test('nothing of a link that was silent before and is as it was', () => {
    expect(expected([link('a', ['a1', 'a2'])])).toEqual({ changed: [], kept: [], keptWithinMs: 0 });
  });

  test('every bin that was read before, in a link that was changed', () => {
    const links = [link('a', ['a1', 'a2'], { isChanged: true })];
    const changed = [{ link: 'a', of: 'all', bins: [a1, a2] }];
    expect(expected(links, 'a1', 'a2')).toEqual({ changed, kept: [], keptWithinMs: 0 });
  });

  test('no new bin whose link gives the weights it gave: it may not be connected yet', () => {
    const links = [link('a', ['a1', 'a2'], { isChanged: true })];
    expect(expected(links, 'a1').changed).toEqual([{ link: 'a', of: 'all', bins: [a1] }]);
  });

  test('any one bin of a new link', () => {
    const links = [link('a', ['a1', 'a2'], { isChanged: true })];
    expect(expected(links).changed).toEqual([{ link: 'a', of: 'any', bins: [a1, a2] }]);
  });

  test('a bin that has moved to another link', () => {
    const links = [link('b', ['a1', 'b1'], { isChanged: true })];
    expect(expected(links, 'a1').changed).toEqual([{ link: 'b', of: 'all', bins: [a1] }]);
  });

  test('no bin that is polled too seldom, unless its link was changed and reads it at once', () => {
    const bins = [{ bin: a1, pollMs: 40_000 }];
    expect(expected([link('a', [], { bins })], 'a1').kept).toEqual([]);
    expect(expected([link('a', [], { bins, isChanged: true })], 'a1').changed).toHaveLength(1);
  });
});

test('all of what is expected must weigh, or any of it, as it says', () => {
  const expectations = [
    { link: 'a', of: 'all', bins: [a1, a2] },
    { link: 'b', of: 'any', bins: [b1, a2] },
  ] as const;
  expect(unfulfilled(expectations, () => true)).toEqual([]);
  expect(unfulfilled(expectations, (bin) => bin === a2)).toEqual([
    { link: 'a', of: 'all', bins: [a1] },
  ]);
  expect(unfulfilled(expectations, () => false)).toEqual(expectations);
});

test('the reason names links, bins and their faults, and counts the rest', () => {
  const many = Array.from({ length: 7 }, (_, n) => binId(`c${n}`));
  const reason = reasonOf(
    [
      { link: 'a', of: 'all', bins: [a1] },
      { link: 'c', of: 'any', bins: many },
    ],
    (bin) => (bin === a1 ? 'no answer within 500 ms' : undefined),
  );
  expect(reason).toBe(
    'link a: no weight from a1 (no answer within 500 ms); ' +
      'link c: no weight from any of c0, c1, c2, c3, c4 and 2 more',
  );
});
