import type { Log } from '#shared/log.ts';
import { MINUTE_MS } from '#shared/units.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import * as device from '../core/device-clock.ts';
import type { ClockSegment, Moved, Stamp } from '../core/device-clock.ts';
import type { Machine } from './machine.ts';

export interface ClockState {
  readonly synced: boolean;
  /** Whether the machine says so, rather than that nothing speaks against it. */
  readonly isProven: boolean;
  /** How far device time is ahead of the machine's, ms: above 0 it runs slow until caught up. */
  readonly aheadMs: number;
  /** Whether readings wait in the outbox for the true time. */
  readonly isHolding: boolean;
}

/** The cloud's clock and this one show the same time: a receipt may take a minute on a bad line. */
const AGREES_MS = 2 * MINUTE_MS;

export interface KeeperOptions {
  readonly machine: Machine;
  readonly log: Log;
  /** Newest device time on record; 0 for none. */
  readonly newestAt: number;
  readonly stored: readonly ClockSegment[];
  /**
   * Shifts what was stamped in a segment to the true one.
   * @returns the shift in ms and the newest time then on record; null where the disk does not allow it now
   */
  readonly onSynced: (
    from: ClockSegment,
    to: ClockSegment,
  ) => { readonly shiftMs: number; readonly newestAt: number } | null;
  /**
   * Has time go back to the true one: what is on record ahead of it is moved or becomes a gap record.
   * @returns the newest time then on record; null where the disk does not allow it now
   */
  readonly onTurnBack: (to: ClockSegment, nowMs: number) => { readonly newestAt: number } | null;
  /** Which segment's readings are to wait; null for none. */
  readonly onHold: (segment: ClockSegment | null) => void;
}

/** Keeps the device's time: stamps readings, and has them stamped anew once the time is known. */
export class ClockKeeper {
  readonly #options: KeeperOptions;
  #clock: device.DeviceClock;
  #isSlow = false;
  /** The cloud's time less monotonic time, ms, as its last receipt said; null before the first. */
  #cloudOffsetMs: number | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { machine, newestAt, stored, log } = options;
    const now = machine.now();
    const evidence = machine.evidence();
    this.#clock = device.startClock({ boot: machine.boot, now, evidence, newestAt, stored });
    if (!this.#clock.segment.synced) {
      log.warn({ evidence, wall: now.wallMs }, 'the clock is not synchronised');
    }
    this.tick();
  }

  stamp(): Stamp {
    const { clock, stamp } = device.tell(this.#clock, this.#options.machine.now());
    this.#clock = clock;
    return stamp;
  }

  /** Goes on from records that are found only now. @returns how what was stamped is to be moved */
  goOnFrom(newestAt: number): Moved {
    const { clock, moved } = device.goOnFrom(this.#clock, newestAt);
    this.#clock = clock;
    return moved;
  }

  /** @param nowMs the cloud's time, of a message that has just come */
  hear(nowMs: number): void {
    this.#cloudOffsetMs = nowMs - this.#options.machine.now().monotonicMs;
  }

  /** How far device time is ahead of the cloud's, ms; null while nobody knows. */
  get aheadOfCloudMs(): number | null {
    if (this.#cloudOffsetMs === null) return null;
    return this.stamp().at - this.#cloudOffsetMs - this.#options.machine.now().monotonicMs;
  }

  /** Whoever the machine believes, a clock that shows the cloud's time is right, and no other is. */
  #evidence(now: device.Instant): device.Evidence {
    const evidence = this.#options.machine.evidence();
    if (this.#cloudOffsetMs === null) return evidence;
    const offMs = Math.abs(now.wallMs - this.#cloudOffsetMs - now.monotonicMs);
    if (offMs <= AGREES_MS) return 'synced';
    return offMs > MAX_AHEAD_MS ? 'unsynced' : evidence;
  }

  /** To be called every second or so. */
  tick(): void {
    const { machine, log, onSynced, onHold } = this.#options;
    const now = machine.now();
    this.#clock = device.tell(this.#clock, now).clock;
    const evidence = this.#evidence(now);
    const right = device.synchronised(this.#clock, now, evidence);
    if (right !== null) {
      const shifted = onSynced(this.#clock.segment, right);
      if (shifted !== null) {
        this.#clock = device.adopt(this.#clock, right, shifted);
        log.info(shifted, 'the clock is synchronised, readings are shifted');
      }
    }
    if (evidence === 'synced') this.#turnBack(now);
    onHold(device.isHolding(this.#clock, now) ? this.#clock.segment : null);
    const { aheadMs } = this.state();
    if (aheadMs > device.STEP_MS !== this.#isSlow) {
      this.#isSlow = !this.#isSlow;
      if (this.#isSlow)
        log.warn({ aheadMs }, 'the clock went back: time runs slow until it agrees');
      else log.info('device time agrees with the clock again');
    }
  }

  #turnBack(now: device.Instant): void {
    if (!device.isBeyondReach(this.#clock, now)) return;
    const { machine, log, onTurnBack } = this.#options;
    const offsetMs = now.wallMs - now.monotonicMs;
    const to = { boot: machine.boot, offsetMs, synced: true };
    const aheadMs = Math.round(this.#clock.at - now.wallMs);
    const turned = onTurnBack(to, now.wallMs);
    if (turned === null) return;
    this.#clock = device.turnedBack(this.#clock, to, turned.newestAt);
    log.error({ aheadMs }, 'the clock was far ahead: time goes back to the true one');
  }

  state(): ClockState {
    const now = this.#options.machine.now();
    const { segment, at } = this.#clock;
    const aheadMs = segment.synced ? Math.max(0, Math.round(at - now.wallMs)) : 0;
    const isHolding = device.isHolding(this.#clock, now);
    const synced = segment.synced && aheadMs <= device.STEP_MS;
    const isProven = synced && this.#evidence(now) === 'synced';
    return { synced, isProven, aheadMs, isHolding };
  }
}
