import { createIntl } from 'react-intl';
import { describe, expect, test } from 'vitest';
import { MINUTE_MS } from '#shared/units.ts';
import { en } from '../language/en.ts';
import { zhCn } from '../language/zh-cn.ts';
import { formatAge } from './age.ts';
import { daysLeftOf, daysRank } from './days-left.ts';
import { formatChange, formatQuantity } from './quantity.ts';

const english = createIntl({ locale: 'en', messages: en });
const chinese = createIntl({ locale: 'zh-CN', messages: zhCn });

describe('quantities', () => {
  test('pieces have separators and a plural', () => {
    expect(formatQuantity(english, 1_234_567, 'piece')).toBe('1,234,567 pieces');
    expect(formatQuantity(english, 1, 'piece')).toBe('1 piece');
    expect(formatQuantity(chinese, 1_234, 'piece')).toBe('1,234 件');
  });

  test('milligrams are shown as kilograms, no finer than is useful', () => {
    expect(formatQuantity(english, 1_234_567, 'mg')).toBe('1.235 kg');
    expect(formatQuantity(english, 24_680_000, 'mg')).toBe('24.68 kg');
    expect(formatQuantity(english, 987_654_321_000, 'mg')).toBe('987,654 kg');
    expect(formatQuantity(chinese, 1_500_000, 'mg')).toBe('1.5 kg');
  });

  test('a rate of a few pieces keeps one decimal', () => {
    expect(formatQuantity(english, 12.345, 'piece')).toBe('12.3 pieces');
    expect(formatQuantity(english, 1_234.5, 'piece')).toBe('1,235 pieces');
  });

  test('a change carries its sign', () => {
    expect(formatChange(english, -8, 'piece')).toBe('−8 pieces');
    expect(formatChange(english, 2_000_000, 'mg')).toBe('+2 kg');
    expect(formatChange(english, 0, 'piece')).toBe('0 pieces');
  });
});

describe('ages', () => {
  test('are told in the largest unit that fits', () => {
    const ages = [12_345, 5 * MINUTE_MS, 47 * 60 * MINUTE_MS, 48 * 60 * MINUTE_MS];
    expect(ages.map((age) => formatAge(english, age))).toEqual([
      '12s ago',
      '5m ago',
      '47h ago',
      '2d ago',
    ]);
    expect(formatAge(chinese, 12_345)).toBe('12秒前');
  });

  test('are never in the future', () => {
    expect(formatAge(english, -3_000)).toBe('0s ago');
  });
});

describe('days left', () => {
  test('are stock by speed', () => {
    expect(daysLeftOf(30, 12)).toEqual({ kind: 'days', days: 2.5 });
    expect(daysLeftOf(0, null)).toEqual({ kind: 'days', days: 0 });
    expect(daysLeftOf(1_000_000, 1)).toEqual({ kind: 'over-a-year' });
  });

  test('are unknown rather than endless without a speed', () => {
    expect(daysLeftOf(30, 0)).toEqual({ kind: 'unknown', why: 'no-speed' });
    expect(daysLeftOf(30, null)).toEqual({ kind: 'unknown', why: 'no-speed' });
    expect(daysLeftOf(null, 3)).toEqual({ kind: 'unknown', why: 'no-stock' });
  });

  test('the shortest come first and the unknown last', () => {
    const ranks = [daysLeftOf(1, 1), daysLeftOf(1_000, 1), daysLeftOf(1, null)].map(daysRank);
    expect([...ranks].sort((a, b) => a - b)).toEqual(ranks);
  });
});
