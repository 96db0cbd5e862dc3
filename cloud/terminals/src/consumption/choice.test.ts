import { expect, test } from 'vitest';
import { parsePlace } from '../routing/place.ts';
import { choiceOf, drillInto, filterOf, stepFor } from './choice.ts';

const choice = (fragment: string) => choiceOf(parsePlace(fragment));
const HOUR_MS = 3_600_000;

test('a place without a choice is the last seven days by product', () => {
  const { period, by } = choice('#/consumption');
  expect([period.preset, by]).toEqual(['7-days', 'product']);
});

test('a mistyped link falls back instead of failing', () => {
  const { period, by, unit } = choice('#/consumption?period=year&by=planet&unit=stone');
  expect([period.preset, by, unit]).toEqual(['7-days', 'product', undefined]);
});

test('up to two days are drawn by hour unless days are asked for', () => {
  expect(stepFor(choice('#/consumption'), { from: 0, to: 48 * HOUR_MS })).toBe('hour');
  expect(stepFor(choice('#/consumption'), { from: 0, to: 49 * HOUR_MS })).toBe('day');
  expect(stepFor(choice('#/consumption?step=day'), { from: 0, to: HOUR_MS })).toBe('day');
});

test('one drills from product to customer to site to bin', () => {
  expect(drillInto('product', 'screw', 'company')).toEqual({ productId: 'screw', by: 'customer' });
  expect(drillInto('product', 'screw', 'customer')).toEqual({ productId: 'screw', by: 'site' });
  expect(drillInto('customer', 'acme', 'company')).toMatchObject({
    customerId: 'acme',
    by: 'site',
  });
  expect(drillInto('site', 'north', 'company')).toEqual({ siteId: 'north', by: 'bin' });
  expect(drillInto('bin', 'a1', 'company')).toBeNull();
});

test('only what is chosen is asked for', () => {
  expect(filterOf(choice('#/consumption?siteId=north'))).toEqual({ siteId: 'north' });
});
