import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { HOLD_MS, type Evidence } from '../core/device-clock.ts';
import { Intake } from '../intake.ts';
import { Outbox } from '../outbox/outbox.ts';
import { freshFolder } from '../testing/folder.ts';
import { ClockKeeper } from './keeper.ts';

const NOW = 1_790_000_000_000;
const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;
const BIN = binId('a1');
const log = createLog('agent', 'silent');

interface World {
  wallMs: number;
  monotonicMs: number;
  evidence: Evidence;
}

/** A gateway whose clock the test turns, and its agent; the store outlives both. */
class Gateway {
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #keeper: ClockKeeper;
  readonly #world: World;

  constructor(folder: string, boot: string, world: World) {
    this.#world = world;
    const outbox = new Outbox(folder, { stamp: 'now' });
    onTestFinished(() => outbox.close());
    this.#outbox = outbox;
    const intake = new Intake({
      outbox,
      log,
      heartbeatMs: 1,
      bins: new Map([[BIN, { unit: 'mg', division: 1 }]]),
      ramBytes: 1_000_000,
      onCommit: () => {},
    });
    this.#intake = intake;
    this.#keeper = new ClockKeeper({
      machine: {
        boot,
        now: () => ({ wallMs: world.wallMs, monotonicMs: world.monotonicMs }),
        evidence: () => world.evidence,
      },
      log,
      newestAt: outbox.newestAt,
      stored: outbox.clocks,
      onSynced: (from, to) => intake.restamp(from, to),
      onHold: (segment) => outbox.hold(segment),
    });
  }

  /** A reading after every so many ms. */
  measure(times: number, everyMs = MINUTE): void {
    for (let n = 0; n < times; n += 1) {
      this.#world.wallMs += everyMs;
      this.#world.monotonicMs += everyMs;
      this.#keeper.tick();
      const stamp = this.#keeper.stamp();
      const value = this.#world.monotonicMs;
      const level = { at: stamp.at, value, samples: 5, spread: 1, quality: 'good' as const };
      this.#intake.take(BIN, level, stamp);
      this.#intake.commit();
    }
  }

  synchronise(wallMs: number): void {
    this.#world.wallMs = wallMs;
    this.#world.evidence = 'synced';
    this.#keeper.tick();
  }

  /** What the cloud gets now. */
  sent(): Reading[] {
    const { sealed } = this.#outbox.progress;
    this.#outbox.seal(100, 1_000);
    const readings: Reading[] = [];
    for (let seq = sealed + 1; seq <= this.#outbox.progress.sealed; seq += 1) {
      readings.push(...this.#outbox.batch(seq).readings);
    }
    return readings;
  }

  end(): void {
    this.#outbox.close();
  }
}

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
    gateway.measure(10);
    expect(gateway.sent()).toEqual([]);
    gateway.synchronise(NOW);
    gateway.measure(2);
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
    first.measure(5);
    first.end();
    const second = new Gateway(folder, 'b1', world);
    second.measure(5);
    second.synchronise(NOW);
    expect(second.sent().map(({ at }) => at)).toEqual(
      Array.from({ length: 10 }, (_, n) => NOW + (n - 9) * MINUTE),
    );
    second.end();
  });

  test('that is off before it knew the time goes on after its own records', () => {
    const known = { wallMs: NOW, monotonicMs: 1_000, evidence: 'synced' as Evidence };
    const first = new Gateway(folder, 'b1', known);
    first.measure(3);
    first.end();
    const lost = { wallMs: 10_000, monotonicMs: 500, evidence: 'unsynced' as Evidence };
    const second = new Gateway(folder, 'b2', lost);
    second.measure(3);
    second.end();
    const third = new Gateway(folder, 'b3', { ...lost, wallMs: 20_000 });
    third.measure(3);
    third.synchronise(NOW + WEEK);
    third.measure(1);
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
    gateway.measure(HOLD_MS / MINUTE - 1);
    expect(gateway.sent()).toEqual([]);
    gateway.measure(1);
    const early = gateway.sent();
    expect(early).toHaveLength(HOLD_MS / MINUTE);
    expect(early.some(({ synced }) => synced)).toBe(false);
    gateway.measure(3);
    gateway.synchronise(NOW - WEEK);
    gateway.measure(3);
    const late = gateway.sent();
    expect(late).toHaveLength(6);
    expectIncreasing([...early, ...late]);
    gateway.end();
  });
});
