import { expect, it } from 'vitest';
import { QUALITIES } from '#shared/reading.ts';
import { healthOf, LATE_MS } from './health.ts';

const fresh = { ageMs: LATE_MS, quality: 'good' } as const;

it('calls a bin ok as long as its newest reading is good and not too old', () => {
  expect(healthOf(fresh, false)).toBe('ok');
  expect(healthOf({ ...fresh, ageMs: LATE_MS + 1 }, false)).toBe('late');
});

it.each(QUALITIES.filter((quality) => quality !== 'good'))(
  'calls a bin whose scale says %s faulty',
  (quality) => {
    expect(healthOf({ ...fresh, quality }, false)).toBe('faulty');
  },
);

it('names the cause that explains the others', () => {
  const old = { ageMs: LATE_MS + 1, quality: 'comm-error' } as const;
  expect(healthOf(null, true)).toBe('silent');
  expect(healthOf(old, true)).toBe('offline');
  expect(healthOf(old, false)).toBe('late');
});
