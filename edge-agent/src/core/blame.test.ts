import { expect, test } from 'vitest';
import { blame, NO_SILENCE } from './blame.ts';

type Read = Parameters<typeof blame>[1];

const SILENT: Read = {
  outcome: 'silent',
  isTrial: false,
  hadAnswered: false,
  areOthersSilent: false,
};

/** Who is to blame for each of some reads, one after the other on one line. */
function blamed(...reads: Partial<Read>[]): string[] {
  let silence = NO_SILENCE;
  return reads.map((read) => {
    const judged = blame(silence, { ...SILENT, ...read });
    ({ silence } = judged);
    return judged.on;
  });
}

test('one who was never heard is to blame, however often it is silent', () => {
  expect(blamed({}, {}, {}, {})).toEqual(['slave', 'slave', 'slave', 'slave']);
});

test('the line is to blame once three who had answered fall silent one after the other', () => {
  const fallen = { hadAnswered: true };
  expect(blamed(fallen, fallen, fallen)).toEqual(['slave', 'slave', 'line']);
  expect(blamed(fallen, {}, fallen, fallen)).toEqual(['slave', 'slave', 'slave', 'line']);
});

test('the line is to blame where three reads in a row and all of its slaves are silent', () => {
  const alone = { areOthersSilent: true };
  expect(blamed(alone, alone, alone)).toEqual(['slave', 'slave', 'line']);
  expect(blamed(alone, alone, {})).toEqual(['slave', 'slave', 'slave']);
});

test.each(['answered', 'again'] as const)('a slave that says %s ends the silence', (outcome) => {
  const fallen = { hadAnswered: true, areOthersSilent: true };
  expect(blamed(fallen, fallen, { outcome }, fallen, fallen)).toEqual([
    'slave',
    'slave',
    'nobody',
    'slave',
    'slave',
  ]);
});

test('nobody is to blame while a pause is tried, and it neither counts nor ends a silence', () => {
  const fallen = { hadAnswered: true };
  const trial = { ...fallen, isTrial: true };
  expect(blamed(trial, trial, trial)).toEqual(['nobody', 'nobody', 'nobody']);
  expect(blamed(fallen, fallen, trial, fallen)).toEqual(['slave', 'slave', 'nobody', 'line']);
});

test('a line that is down is to blame at once, a trial or not', () => {
  expect(blamed({ outcome: 'line-down' })).toEqual(['line']);
  expect(blamed({ outcome: 'line-down', isTrial: true })).toEqual(['line']);
});
