import { expect, test } from 'vitest';
import { outboxSchema, quotaOf } from '../outbox/quota.ts';
import { READING_BYTES } from '../outbox/upkeep.ts';
import { budgetBytes, enduranceHours } from './quota.ts';

const GIB = 1_073_741_824;
const MIB = 1_048_576;
const limits = quotaOf(outboxSchema.parse(undefined));
const empty = { usedBytes: 0, freeBytes: 0, diskFreeBytes: 8 * GIB };

/** 200 bins, each with a heartbeat every 10 minutes and some 450 picks a day of two readings. */
const WEEK = { readingsPerHour: 200 * 60, bytesPerReading: READING_BYTES };

test('the default quota holds more than seven days of 200 bins', () => {
  expect(enduranceHours(empty, limits, WEEK)).toBeGreaterThan(7 * 24);
});

test('endurance counts what is left, of the quota or of the disk', () => {
  const half = { ...empty, usedBytes: 256 * MIB };
  const hours = enduranceHours(half, limits, WEEK) ?? 0;
  expect(hours).toBeCloseTo((256 * MIB) / (200 * 60 * READING_BYTES), 5);
  const full = { ...half, diskFreeBytes: 256 * MIB };
  expect(enduranceHours(full, limits, WEEK)).toBe(0);
  expect(enduranceHours(empty, limits, { ...WEEK, readingsPerHour: 0 })).toBeNull();
});

test('a disk that others fill makes the outbox give way, but not to nothing', () => {
  const others = { usedBytes: 100 * MIB, freeBytes: 0, diskFreeBytes: 206 * MIB };
  expect(budgetBytes(others, limits)).toBe(50 * MIB);
  expect(budgetBytes({ ...others, diskFreeBytes: 0 }, limits)).toBe(16 * MIB);
});
