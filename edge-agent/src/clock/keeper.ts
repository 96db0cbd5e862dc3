import type { Log } from '#shared/log.ts';
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
  /** Which segment's readings are to wait; null for none. */
  readonly onHold: (segment: ClockSegment | null) => void;
}

/** Keeps the device's time: stamps readings, and has them stamped anew once the time is known. */
export class ClockKeeper {
  readonly #options: KeeperOptions;
  #clock: device.DeviceClock;
  #isSlow = false;

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

  /** To be called every second or so. */
  tick(): void {
    const { machine, log, onSynced, onHold } = this.#options;
    const now = machine.now();
    this.#clock = device.tell(this.#clock, now).clock;
    const right = device.synchronised(this.#clock, now, machine.evidence());
    if (right !== null) {
      const shifted = onSynced(this.#clock.segment, right);
      if (shifted !== null) {
        this.#clock = device.adopt(this.#clock, right, shifted);
        log.info(shifted, 'the clock is synchronised, readings are shifted');
      }
    }
    onHold(device.isHolding(this.#clock, now) ? this.#clock.segment : null);
    const { aheadMs } = this.state();
    if (aheadMs > device.STEP_MS !== this.#isSlow) {
      this.#isSlow = !this.#isSlow;
      if (this.#isSlow)
        log.warn({ aheadMs }, 'the clock went back: time runs slow until it agrees');
      else log.info('device time agrees with the clock again');
    }
  }

  state(): ClockState {
    const now = this.#options.machine.now();
    const { segment, at } = this.#clock;
    const aheadMs = segment.synced ? Math.max(0, Math.round(at - now.wallMs)) : 0;
    const isHolding = device.isHolding(this.#clock, now);
    const synced = segment.synced && aheadMs <= device.STEP_MS;
    const isProven = synced && this.#options.machine.evidence() === 'synced';
    return { synced, isProven, aheadMs, isHolding };
  }
}
