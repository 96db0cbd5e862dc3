import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  adopt,
  HOLD_MS,
  isHolding,
  startClock,
  STEP_MS,
  synchronised,
  tell,
  type DeviceClock,
  type Evidence,
  type Instant,
  type StartOptions,
} from './device-clock.ts';

const NOW = 1_790_000_000_000;
const WEEK = 7 * 24 * 3_600_000;
const MINUTE = 60_000;

const instant = (wallMs: number, monotonicMs: number): Instant => ({ wallMs, monotonicMs });

function started(now: Instant, options: Partial<StartOptions> = {}): DeviceClock {
  const defaults = { boot: 'b1', evidence: 'assumed', newestAt: 0, stored: [] } as const;
  return startClock({ ...defaults, now, ...options });
}

describe('a gateway without a clock of its own', () => {
  test.each([
    ['in 1970', 5_000],
    ['where fake-hwclock left it, two weeks ago', NOW - 2 * WEEK],
  ])('that boots %s goes on from its own records, marked, until the time is known', (_, wallMs) => {
    const newestAt = NOW - WEEK;
    const clock = started(instant(wallMs, 9_000), { evidence: 'unsynced', newestAt });
    const { stamp } = tell(clock, instant(wallMs + MINUTE, 9_000 + MINUTE));
    expect(stamp).toMatchObject({ at: newestAt + 1 + MINUTE, synced: false });
    expect(synchronised(clock, instant(wallMs + MINUTE, 9_000 + MINUTE), 'unsynced')).toBeNull();
    const right = synchronised(clock, instant(NOW, 9_000 + 2 * MINUTE), 'synced');
    expect(right).toEqual({ boot: 'b1', offsetMs: NOW - 9_000 - 2 * MINUTE, synced: true });
  });

  test('and whose NTP client is silent is right after a step, or after a quarter of an hour', () => {
    const clock = started(instant(NOW, 0), { evidence: 'waiting' });
    expect(clock.segment.synced).toBe(false);
    expect(synchronised(clock, instant(NOW + MINUTE, MINUTE), 'waiting')).toBeNull();
    expect(synchronised(clock, instant(NOW + WEEK, MINUTE), 'waiting')).not.toBeNull();
    expect(synchronised(clock, instant(NOW + HOLD_MS, HOLD_MS), 'waiting')).not.toBeNull();
  });

  test('keeps readings back for a quarter of an hour, and for ever while it is 1970', () => {
    const plausible = started(instant(NOW, 0), { evidence: 'unsynced' });
    expect(isHolding(plausible, instant(NOW, HOLD_MS - 1))).toBe(true);
    expect(isHolding(plausible, instant(NOW, HOLD_MS))).toBe(false);
    const never = started(instant(1, 0), { evidence: 'unsynced' });
    expect(isHolding(never, instant(HOLD_MS, HOLD_MS))).toBe(true);
  });

  test('that is started again in the same boot has the same time', () => {
    const before = started(instant(1_000, 500), { evidence: 'unsynced' });
    const stored = [before.segment];
    const after = started(instant(61_000, 60_500), { evidence: 'unsynced', stored, newestAt: 900 });
    expect(after.segment).toEqual(before.segment);
    const other = started(instant(61_000, 60_500), { boot: 'b2', evidence: 'unsynced', stored });
    expect(other.segment.boot).toBe('b2');
  });
});

test('a clock that is set back makes time run at half the speed until they agree', () => {
  let clock = started(instant(NOW, 0), { evidence: 'synced' });
  ({ clock } = tell(clock, instant(NOW, 0)));
  const back = NOW - 9 * MINUTE;
  const first = tell(clock, instant(back, 10));
  expect(first.stamp).toMatchObject({ at: NOW + 5, synced: false });
  const later = tell(first.clock, instant(back + 18 * MINUTE, 18 * MINUTE + 10));
  expect(later.stamp).toMatchObject({ at: NOW + 9 * MINUTE, synced: true });
});

test('a clock that is set back by years makes time run on, unsure, until one is proved', () => {
  const ahead = NOW + 600 * WEEK;
  let clock = started(instant(ahead, 0), { evidence: 'assumed' });
  ({ clock } = tell(clock, instant(ahead, 0)));
  const right = instant(NOW, 10);
  const told = tell(clock, right);
  expect(told.stamp).toMatchObject({ at: ahead + 10, synced: false });
  expect(synchronised(told.clock, right, 'assumed')).toBeNull();
  const later = instant(NOW + MINUTE, MINUTE + 10);
  expect(synchronised(told.clock, later, 'synced')?.offsetMs).toBe(NOW - 10);
});

/** A machine's clock: it runs on, drifts, is set forward and back, and once NTP speaks. */
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('run' as const), ms: fc.nat(600_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('step' as const),
      ms: fc.integer({ min: -2 * WEEK, max: 2 * WEEK }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('ntp' as const), ms: fc.constant(0) }) },
);

interface World {
  readonly truth: number;
  readonly mono: number;
  /** How far the machine's clock is off, ms. */
  readonly error: number;
  readonly evidence: Evidence;
}

function after(world: World, { act, ms }: { act: 'run' | 'step' | 'ntp'; ms: number }): World {
  // A bad crystal: 500 ppm.
  if (act === 'run') {
    const { truth, mono, error } = world;
    return { ...world, truth: truth + ms, mono: mono + ms, error: error + ms / 2_000 };
  }
  if (act === 'step') return { ...world, error: world.error + ms };
  return { ...world, error: 0, evidence: 'synced' };
}

describe('whatever the clock does', () => {
  const evidence = fc.constantFrom<Evidence>('synced', 'unsynced', 'waiting', 'assumed');
  const error = fc.constantFrom(0, -2 * WEEK, 2 * WEEK, -NOW + 1_000);

  test('time never goes back, and is right in the end', () => {
    fc.assert(
      fc.property(error, evidence, fc.array(event, { maxLength: 40 }), (off, said, events) => {
        let world: World = { truth: NOW, mono: 1_000, error: off, evidence: said };
        const now = (): Instant => instant(Math.round(world.truth + world.error), world.mono);
        let clock = started(now(), { evidence: said, newestAt: NOW - WEEK });
        let newest = 0;
        const look = (): void => {
          const told = tell(clock, now());
          clock = told.clock;
          const right = synchronised(clock, now(), world.evidence);
          if (right !== null) {
            // As an outbox that has sealed nothing shifts what it holds.
            const floor = NOW - WEEK + 1;
            const shiftMs = right.offsetMs - clock.segment.offsetMs;
            newest = Math.max(newest + shiftMs, floor);
            clock = adopt(clock, right, { shiftMs, newestAt: floor });
          }
          const { at } = tell(clock, now()).stamp;
          expect(at).toBeGreaterThanOrEqual(newest);
          newest = at;
        };
        for (const each of events) {
          world = after(world, each);
          look();
        }
        world = after(world, { act: 'ntp', ms: 0 });
        look();
        // However far ahead it is, half the speed makes up for it in twice the time.
        const aheadMs = Math.max(0, tell(clock, now()).stamp.at - world.truth);
        world = { ...after(world, { act: 'run', ms: 2 * aheadMs + 1_000 }), error: 0 };
        const { stamp } = tell(clock, now());
        expect(Math.abs(stamp.at - world.truth)).toBeLessThanOrEqual(STEP_MS);
        expect(stamp.synced).toBe(true);
      }),
    );
  });
});
