import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import type { Batch } from '#shared/wire/batch.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import { ClockKeeper } from '../clock/keeper.ts';
import type { Evidence } from '../core/device-clock.ts';
import { Intake } from '../intake/intake.ts';
import { Outbox } from '../outbox/outbox.ts';

const BIN = binId('a1');
const log = createLog('agent', 'silent');

/** What a gateway's clocks show, and what is true. */
export interface World {
  wallMs: number;
  monotonicMs: number;
  evidence: Evidence;
}

/** A gateway whose clock the test turns, and its agent; the store outlives both. */
export class Gateway {
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  readonly #keeper: ClockKeeper;
  readonly #world: World;
  /** The cloud's time less monotonic time, as it was last heard. */
  #heardOffsetMs: number | null = null;

  constructor(folder: string, boot: string, world: World) {
    this.#world = world;
    const outbox = new Outbox(folder, { stamp: 'now' });
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
      onTurnBack: (to, nowMs) => intake.turnBack(to, nowMs),
      onHold: (segment) => outbox.hold(segment),
    });
  }

  /** A reading after every so many ms. @param value of the first; the next ones are higher */
  measure(times: number, everyMs: number, value = this.#world.monotonicMs): void {
    for (let n = 0; n < times; n += 1) {
      this.#world.wallMs += everyMs;
      this.#world.monotonicMs += everyMs;
      this.#keeper.tick();
      const stamp = this.#keeper.stamp();
      const level = { at: stamp.at, samples: 5, spread: 0, quality: 'good' as const };
      this.#intake.take(BIN, { ...level, value: value + n * 10 }, stamp);
      this.#intake.commit();
    }
  }

  tick(): void {
    this.#keeper.tick();
  }

  get now(): number {
    return this.#keeper.stamp().at;
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

  /** Sends what is there, as the uplink does. @param saysTime whether receipts say the cloud's time */
  send(cloud: Cloud, saysTime: boolean): void {
    const outbox = this.#outbox;
    const { monotonicMs } = this.#world;
    if (this.#heardOffsetMs !== null) {
      outbox.limit(this.#heardOffsetMs + monotonicMs + MAX_AHEAD_MS);
    }
    outbox.seal(100, 3);
    for (let seq = outbox.progress.receipted + 1; seq <= outbox.progress.sealed; seq += 1) {
      const { firstRefused } = cloud.take(outbox.batch(seq));
      if (saysTime) {
        this.#keeper.hear(cloud.nowMs);
        this.#heardOffsetMs = cloud.nowMs - monotonicMs;
      }
      if (saysTime && firstRefused !== null) {
        outbox.renewFrom(seq, firstRefused);
        return;
      }
      if (!saysTime) cloud.keepRefused(outbox.batch(seq));
      outbox.trim(seq);
    }
  }

  end(): void {
    this.#outbox.close();
  }
}

/** What the cloud does with the readings of one bin. */
export class Cloud {
  nowMs: number;
  /** By time. */
  readonly accepted = new Map<number, number | null>();
  /** Values that were refused and receipted: they are in quarantine. */
  readonly quarantined = new Set<number | null>();
  readonly gaps: Gap[] = [];
  /** What should not be: a reading before one that is known, or another one of the same time. */
  readonly faults: string[] = [];
  #newest = 0;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  /** @returns place of the first reading that is refused; null where none is */
  take({ readings, gaps }: Batch): { readonly firstRefused: number | null } {
    let firstRefused: number | null = null;
    for (const [index, { at, value }] of readings.entries()) {
      if (at > this.nowMs + MAX_AHEAD_MS) firstRefused ??= index;
      else if (this.accepted.has(at)) {
        if (this.accepted.get(at) !== value) this.faults.push(`two readings at ${at}`);
      } else {
        if (at <= this.#newest) this.faults.push(`${at} comes after ${this.#newest}`);
        this.#newest = at;
        this.accepted.set(at, value);
      }
    }
    for (const gap of gaps) if (gap.to <= this.nowMs + MAX_AHEAD_MS) this.gaps.push(gap);
    return { firstRefused };
  }

  keepRefused({ readings }: Batch): void {
    for (const { at, value } of readings) {
      if (at > this.nowMs + MAX_AHEAD_MS) this.quarantined.add(value);
    }
  }
}
