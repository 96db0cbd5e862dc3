import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPlace, parsePlace } from './place.ts';

test('a place survives its link', () => {
  const word = fc.string({ minLength: 1, unit: 'grapheme' });
  const key = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.array(word), fc.dictionary(key, word), (path, query) => {
      const place = parsePlace(formatPlace(path, query));
      expect(place.path).toEqual(path);
      expect({ ...place.query }).toEqual({ ...query });
    }),
  );
});

test('no fragment is the start', () => {
  expect(parsePlace('')).toEqual({ path: [], query: {} });
});

test('what is not set leaves no trace in the link', () => {
  expect(formatPlace(['stock'], { siteId: undefined, search: '' })).toBe('#/stock');
});

test('a broken escape is taken as it stands', () => {
  expect(parsePlace('#/bins/%E0%A4%A').path).toEqual(['bins', '%E0%A4%A']);
});
