import { expect, test } from 'vitest';
import { BusyShare, LatencyRing } from './latency.ts';

test('percentiles are of the latest answers, and the slowest is forgotten in time', () => {
  const ring = new LatencyRing();
  expect(ring.summary()).toBeNull();
  ring.add(500);
  expect(ring.slowestMs).toBeNull();
  for (let n = 1; n < 128; n += 1) ring.add(n % 10);
  expect(ring.summary()).toEqual({ p50Ms: 5, p99Ms: 9, slowestMs: 500 });
  expect(ring.slowestMs).toBe(500);
  for (let n = 0; n < 128; n += 1) ring.add(7);
  expect(ring.slowestMs).toBe(7);
});

test('the share of a line is that of the last minute', () => {
  const share = new BusyShare(0);
  expect(share.at(0)).toBeNull();
  for (let at = 0; at < 30_000; at += 1_000) share.add(at, at + 500);
  expect(share.at(30_000)).toBeCloseTo(0.5);
  expect(share.at(60_000)).toBeCloseTo(0.25, 1);
  share.add(300_000, 300_100);
  expect(share.at(301_000)).toBeLessThan(0.01);
});
