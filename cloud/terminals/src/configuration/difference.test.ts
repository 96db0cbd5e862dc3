import fc from 'fast-check';
import { expect, test } from 'vitest';
import { differenceOf, type DifferenceLine } from './difference.ts';

const told = (lines: readonly DifferenceLine[]): string[] =>
  lines.map((line) => {
    if (line.kind === 'skipped') return `… ${line.count}`;
    return `${{ same: ' ', added: '+', removed: '-' }[line.kind]}${line.text}`;
  });

test('what was changed stands beside what it was, with a few lines around it', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
  expect(told(differenceOf(before, before.replace('g', 'G')))).toEqual([
    '… 3',
    ' d',
    ' e',
    ' f',
    '-g',
    '+G',
    ' h',
  ]);
});

test('of two texts alike nothing is shown, of an empty one all of the other', () => {
  expect(told(differenceOf('a\nb\n', 'a\nb\n'))).toEqual(['… 2']);
  expect(told(differenceOf('', 'a\nb\n'))).toEqual(['+a', '+b']);
  expect(told(differenceOf('a\n', ''))).toEqual(['-a']);
  expect(differenceOf('', '')).toEqual([]);
});

test('leaving out what was added gives the one text, leaving out what was removed the other', () => {
  const line = fc.constantFrom('a', 'b', 'c', '  d: 1');
  // Short enough for nothing to be left out unless all is the same.
  const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.map((l) => `${l}\n`).join(''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      if (before === after) return;
      const lines = differenceOf(before, after);
      const without = (left: DifferenceLine['kind']) =>
        lines.map((l) => (l.kind === left || l.kind === 'skipped' ? '' : `${l.text}\n`)).join('');
      expect(lines.some(({ kind }) => kind === 'skipped')).toBe(false);
      expect(without('added')).toBe(before);
      expect(without('removed')).toBe(after);
    }),
  );
});
