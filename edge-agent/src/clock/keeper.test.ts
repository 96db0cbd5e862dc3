import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Reading } from '#shared/reading.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import { HOLD_MS, type Evidence } from '../core/device-clock.ts';
import { Cloud, Gateway, type World } from '../testing/clocked-gateway.ts';
import { freshFolder } from '../testing/folder.ts';

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;
function expectIncreasing(readings: readonly Reading[]): void {
  for (const [n, { at }] of readings.entries()) {
    expect(at).toBeGreaterThan(readings[n - 1]?.at ?? 0);
  }
}

describe('a gateway without a battery', () => {
  let folder = '';
  beforeEach(() => {
    folder = freshFolder();
  });

  test.each([
    ['in 1970', 10_000],
    ['two weeks back', NOW - 2 * WEEK],
    ['in 2070', NOW + 44 * 52 * WEEK],
  ])('that boots %s sends nothing before it knows the time, and then the true times', (_, wall) => {
    const world = { wallMs: wall, monotonicMs: 1_000, evidence: 'unsynced' as Evidence };
    const gateway = new Gateway(folder, 'b1', world);
    gateway.measure(10, MINUTE);
    expect(gateway.sent()).toEqual([]);
    gateway.synchronise(NOW);
    gateway.measure(2, MINUTE);
    const readings = gateway.sent();
    expect(readings.map(({ at }) => at)).toEqual(
      Array.from({ length: 12 }, (_each, n) => NOW + (n - 9) * MINUTE),
    );
    expect(readings.every(({ synced }) => synced)).toBe(true);
    gateway.end();
  });

  test('whose agent is started again within the boot still repairs what came before', () => {
    const world = { wallMs: 10_000, monotonicMs: 1_000, evidence: 'unsynced' as Evidence };
    const first = new Gateway(folder, 'b1', world);
    first.measure(5, MINUTE);
    first.end();
    const second = new Gateway(folder, 'b1', world);
    second.measure(5, MINUTE);
    second.synchronise(NOW);
    expect(second.sent().map(({ at }) => at)).toEqual(
      Array.from({ length: 10 }, (_, n) => NOW + (n - 9) * MINUTE),
    );
    second.end();
  });

  test('that is off before it knew the time goes on after its own records', () => {
    const known = { wallMs: NOW, monotonicMs: 1_000, evidence: 'synced' as Evidence };
    const first = new Gateway(folder, 'b1', known);
    first.measure(3, MINUTE);
    first.end();
    const lost = { wallMs: 10_000, monotonicMs: 500, evidence: 'unsynced' as Evidence };
    const second = new Gateway(folder, 'b2', lost);
    second.measure(3, MINUTE);
    second.end();
    const third = new Gateway(folder, 'b3', { ...lost, wallMs: 20_000 });
    third.measure(3, MINUTE);
    third.synchronise(NOW + WEEK);
    third.measure(1, MINUTE);
    const readings = third.sent();
    expect(readings).toHaveLength(10);
    expectIncreasing(readings);
    // What the second boot stamped can never be repaired, and says so.
    const unsure = readings.flatMap(({ synced }, n) => (synced ? [] : [n]));
    expect(unsure).toEqual([3, 4, 5]);
    expect(readings.at(-1)?.at).toBe(NOW + WEEK + MINUTE);
    third.end();
  });

  test('that nobody tells the time sends after a quarter of an hour, marked', () => {
    const world = { wallMs: NOW, monotonicMs: 0, evidence: 'unsynced' as Evidence };
    const gateway = new Gateway(folder, 'b1', world);
    gateway.measure(HOLD_MS / MINUTE - 1, MINUTE);
    expect(gateway.sent()).toEqual([]);
    gateway.measure(1, MINUTE);
    const early = gateway.sent();
    expect(early).toHaveLength(HOLD_MS / MINUTE);
    expect(early.some(({ synced }) => synced)).toBe(false);
    gateway.measure(3, MINUTE);
    // A cloud that knows the time refuses what is a week ahead of it.
    gateway.synchronise(NOW - WEEK);
    gateway.measure(3, MINUTE);
    const late = gateway.sent();
    expect(late.map(({ at }) => at)).toEqual(
      Array.from({ length: HOLD_MS / MINUTE + 6 }, (_, n) => NOW - WEEK + (n - 17) * MINUTE),
    );
    expect(late.every(({ synced }) => synced)).toBe(true);
    gateway.end();
  });
});

const right = (evidence: Evidence): World => ({ wallMs: NOW, monotonicMs: 1_000, evidence });

describe('a clock that was years ahead', () => {
  const AHEAD = 600 * WEEK;
  let folder = '';
  let cloud: Cloud;
  beforeEach(() => {
    folder = freshFolder();
    cloud = new Cloud(NOW);
  });

  test.each<Evidence>(['synced', 'assumed', 'waiting'])(
    'for an hour (%s) costs no reading where the cloud says that it is',
    (evidence) => {
      const world = right(evidence);
      const gateway = new Gateway(folder, 'b1', world);
      gateway.measure(20, MINUTE);
      cloud.nowMs = NOW + 20 * MINUTE;
      gateway.send(cloud, true);
      world.wallMs += AHEAD;
      gateway.measure(60, MINUTE);
      cloud.nowMs += 60 * MINUTE;
      gateway.send(cloud, true);
      world.wallMs -= AHEAD;
      gateway.measure(5, MINUTE);
      cloud.nowMs += 5 * MINUTE;
      gateway.send(cloud, true);
      gateway.measure(1, MINUTE);
      cloud.nowMs += MINUTE;
      gateway.send(cloud, true);
      gateway.send(cloud, true);
      expect([...cloud.accepted.keys()]).toEqual(
        Array.from({ length: 86 }, (_, n) => NOW + (n + 1) * MINUTE),
      );
      expect(cloud.faults).toEqual([]);
      gateway.end();
    },
  );

  test('whose readings were refused for good goes on with the true time, and records the hole', () => {
    const world = right('synced');
    const gateway = new Gateway(folder, 'b1', world);
    gateway.measure(2, MINUTE);
    cloud.nowMs = NOW + 2 * MINUTE;
    gateway.send(cloud, false);
    world.wallMs += AHEAD;
    gateway.measure(3, MINUTE);
    gateway.send(cloud, false);
    gateway.end();
    const later = { wallMs: NOW + WEEK, monotonicMs: 5_000, evidence: 'synced' as const };
    const next = new Gateway(folder, 'b2', later);
    next.measure(2, MINUTE);
    cloud.nowMs = NOW + WEEK + 2 * MINUTE;
    next.send(cloud, false);
    expect([...cloud.accepted.keys()].slice(2)).toEqual([1, 2].map((n) => NOW + WEEK + n * MINUTE));
    expect(cloud.gaps).toContainEqual({
      bin: 'a1',
      from: NOW + 2 * MINUTE,
      to: NOW + WEEK,
      count: 0,
      why: 'misdated',
    });
    next.end();
  });

  test('does not go back to a clock that the cloud contradicts', () => {
    const world = right('synced');
    const gateway = new Gateway(folder, 'b1', world);
    gateway.measure(5, MINUTE);
    cloud.nowMs = NOW + 5 * MINUTE;
    gateway.send(cloud, true);
    world.wallMs -= WEEK;
    gateway.measure(15, MINUTE);
    cloud.nowMs += 15 * MINUTE;
    gateway.send(cloud, true);
    expect([...cloud.accepted.keys()]).toHaveLength(20);
    expect(cloud.faults).toEqual([]);
    expect(Math.abs(gateway.now - cloud.nowMs)).toBeLessThan(MINUTE);
    gateway.end();
  });

  test('and lost its power twice counts what was measured before the last time it was right', () => {
    const world = right('assumed');
    world.wallMs += 30 * MINUTE;
    const gateway = new Gateway(folder, 'b1', world);
    gateway.measure(1, MINUTE);
    gateway.end();
    const next = new Gateway(folder, 'b2', { ...world, monotonicMs: 1_000 });
    next.measure(1, MINUTE);
    next.synchronise(NOW + 4 * MINUTE);
    next.measure(1, MINUTE);
    cloud.nowMs = NOW + 5 * MINUTE;
    next.send(cloud, true);
    expect([...cloud.accepted.keys()]).toEqual([NOW + 4 * MINUTE, NOW + 5 * MINUTE]);
    expect(cloud.gaps).toContainEqual(expect.objectContaining({ count: 1, why: 'misdated' }));
    next.end();
  });

  test('and lost its power before it was set right counts what nobody can date any more', () => {
    const world = right('synced');
    const gateway = new Gateway(folder, 'b1', world);
    gateway.measure(2, MINUTE);
    world.wallMs += AHEAD;
    gateway.measure(3, MINUTE);
    gateway.end();
    const later = { wallMs: NOW + WEEK, monotonicMs: 5_000, evidence: 'synced' as const };
    const next = new Gateway(folder, 'b2', later);
    next.measure(1, MINUTE);
    cloud.nowMs = NOW + WEEK + MINUTE;
    next.send(cloud, true);
    expect([...cloud.accepted.keys()]).toEqual([
      NOW + MINUTE,
      NOW + 2 * MINUTE,
      NOW + WEEK + MINUTE,
    ]);
    expect(cloud.gaps).toContainEqual(expect.objectContaining({ count: 3, why: 'misdated' }));
    next.end();
  });
});

describe('whatever the clock does, and however often the power is cut', () => {
  const STEPS_MS = [MINUTE, 9 * MINUTE, 30 * MINUTE, WEEK, 600 * WEEK];
  const event = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('measure' as const), n: fc.nat(20) }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('send' as const), n: fc.constant(0) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('step' as const), n: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('cut' as const), n: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('ntp' as const), n: fc.constant(0) }) },
  );
  const evidences = fc.constantFrom<Evidence>('unsynced', 'assumed', 'waiting');

  test('no time goes back at the cloud, no reading is unaccounted for, and it ends right', () => {
    fc.assert(
      fc.property(evidences, fc.array(event, { maxLength: 30 }), (evidence, events) => {
        const folder = freshFolder();
        let truth = NOW;
        let boot = 1;
        let world: World = { wallMs: NOW, monotonicMs: 1_000, evidence };
        let gateway = new Gateway(folder, 'b1', world);
        const cloud = new Cloud(truth);
        let measured = 0;
        const measure = (n: number): void => {
          for (let each = 0; each < n; each += 1) {
            measured += 1;
            gateway.measure(1, MINUTE, measured * 10);
            truth += MINUTE;
          }
          cloud.nowMs = truth;
        };
        for (const { act, n } of events) {
          if (act === 'measure') measure(n);
          else if (act === 'send') gateway.send(cloud, true);
          else if (act === 'step') {
            const ms = STEPS_MS[n % STEPS_MS.length] ?? 0;
            // Whoever steps the clock like this is not NTP.
            world.evidence = evidence;
            world.wallMs = Math.max(1, world.wallMs + (n < STEPS_MS.length ? ms : -ms));
          } else if (act === 'ntp') gateway.synchronise(truth);
          else {
            gateway.end();
            boot += 1;
            truth += 2 * MINUTE;
            world = { wallMs: n === 1 ? 5_000 : world.wallMs, monotonicMs: 1_000, evidence };
            gateway = new Gateway(folder, `b${boot}`, world);
          }
        }
        gateway.synchronise(truth);
        measure(1);
        gateway.synchronise(truth);
        expect(Math.abs(gateway.now - truth)).toBeLessThanOrEqual(MAX_AHEAD_MS);
        // What is a little ahead is taken in a while.
        measure(20);
        for (let turn = 0; turn < 5; turn += 1) gateway.send(cloud, true);
        gateway.end();
        expect(cloud.faults).toEqual([]);
        const gone = cloud.gaps.reduce((sum, { count }) => sum + count, 0);
        const known = new Set([...cloud.accepted.values(), ...cloud.quarantined]);
        expect(known.size + gone).toBe(measured);
      }),
      // The same every time, so that a failure is the change's; 4,000 others passed when it was written.
      { numRuns: 100, seed: 20_261_123 },
    );
  });
});
