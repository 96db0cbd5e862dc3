import fc from 'fast-check';
import { expect, test } from 'vitest';
import { weightRead } from './weight.ts';

const massOf = (digits: string, unit: string, negative = false): unknown => {
  const read = weightRead({ digits, unit, negative, stable: true });
  return read?.ok === true ? read.massMg : read;
};

// NIST Handbook 44 (2024), appendix C: 1 lb = 453.59237 g, 1 oz = 28.349523125 g,
// 1 oz t = 31.1034768 g, 1 dwt = 1.55517384 g, 1 gr = 64.79891 mg.
test.each([
  ['1', 'lb', 453_592],
  ['100', 'lb', 45_359_237],
  ['0.2', 'lb', 90_718],
  ['16', 'oz', 453_592],
  ['8000', 'oz', 226_796_185],
  ['10000000', 'ozt', 311_034_768_000],
  ['1000', 'dwt', 1_555_174],
  ['100000', 'GN', 6_479_891],
  ['0.5', 'mg', 1],
  ['0.4', 'mg', 0],
  ['12.345', 'kg', 12_345_000],
  ['0012,5', 'g', 12_500],
  ['000000.', 'kg', 0],
  ['99999.9', 't', 99_999_900_000_000],
  ['1.0', 'ct', 200],
])('%s %s are %d mg', (digits, unit, massMg) => {
  expect(massOf(digits, unit)).toBe(massMg);
  expect(massOf(digits, unit, true)).toBe(massMg === 0 ? 0 : -massMg);
});

test.each(['pcs', 'PC', '%', 'tl', 'to', 'N', '', 'G', 'toString', 'constructor'])(
  'the unit %j is a fault of the configuration',
  (unit) => {
    expect(massOf('1', unit)).toMatchObject({ quality: 'config-error' });
  },
);

test.each(['', '.', '1.2.3', '-1', '1e3', ' 1', '9999999999'])('%j t is no weight', (digits) => {
  expect(massOf(digits, 't')).toBeNull();
});

test('grams with up to three decimals lose nothing', () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.nat(3), (count, decimals) => {
      const text = String(count).padStart(decimals + 1, '0');
      const at = text.length - decimals;
      expect(massOf(`${text.slice(0, at)}.${text.slice(at)}`, 'g')).toBe(
        count * 10 ** (3 - decimals),
      );
    }),
  );
});
