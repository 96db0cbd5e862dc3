import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '#shared/clock.ts';
import { Failure, messageOf } from '#shared/failure.ts';
import type { Epoch } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { packBatch } from '#shared/wire/batch.ts';
import type { ReportedConfig } from '#shared/wire/config.ts';
import type { Live } from '#shared/wire/live.ts';
import { MAX_AHEAD_MS, receiptSchema, type Receipt } from '#shared/wire/receipt.ts';
import type { Status } from '#shared/wire/status.ts';
import { Connection, type Credential, type Endpoint, type Session } from './connection.ts';
import * as sending from '../core/send-window.ts';
import { LiveLane } from './live-lane.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** How often time-outs are looked at, and at most one live message in this time. */
const TICK_MS = 1_000;

const RESEND_MS = 5_000;

/** How long a broker that is left may take to hear of it. */
const FAREWELL_MS = 2_000;

export interface UplinkOptions extends Endpoint {
  readonly agent: Credential;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly batchReadings: number;
  readonly healthMs: number;
  /** State of the scales, for birth and health. */
  readonly devices: () => NonNullable<Status['devices']>;
  /** What is wrong with the agent itself, for birth and health. */
  readonly alarms?: () => NonNullable<Status['alarms']>;
  /** A fault that nothing but a restart can mend: the outbox is corrupt. */
  readonly onFatal: (error: unknown) => void;
  /** Something was sent or receipted, or a connection was tried. */
  readonly onProgress?: () => void;
  /** Hears the cloud's time with every receipt. */
  readonly onCloudTime?: (nowMs: number) => void;
  /** Called with every connection. */
  readonly onConnected?: () => void;
  /** Hears what comes on `config`. */
  readonly onConfig?: (payload: Uint8Array) => void;
  readonly tickMs?: number;
  readonly resendMs?: number;
}

export type Reach = 'none' | 'broker' | 'broker, nothing to receipt' | 'cloud';

/** How publishing is doing: plain data. */
export interface UplinkState {
  /** Where it connects to. */
  readonly url: string;
  readonly isConnected: boolean;
  /** Since when it is connected, or not, ms since 1970 UTC. */
  readonly since: number;
  readonly fault: string | null;
  /** Batches sent and not receipted. */
  readonly inFlight: number;
  readonly lastReceipt: { readonly at: number; readonly upTo: number } | null;
}

/** Sends what the outbox holds, and trims it by the cloud's receipts. */
export class Uplink {
  #options: UplinkOptions;
  #connection: Connection;
  readonly #live = new LiveLane();
  #session: Session | null = null;
  /** What this session has shown so far. */
  #shown = { isAccepted: false, isReceipted: false };
  #window: sending.SendWindow;
  #ticker: NodeJS.Timeout | null = null;
  #healthAt = 0;
  #healthSent = '';
  #epoch: Epoch;
  /** The cloud's time less monotonic time, ms, by its last receipt. */
  #cloudOffsetMs: number | null = null;
  #isStopping = false;
  #isBroken = false;
  /** Wall time of the last change between connected and not. */
  #since: number;
  #lastReceipt: UplinkState['lastReceipt'] = null;
  /** Settles the wait of `stop` for an empty outbox. */
  #drained: (() => void) | null = null;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.#since = options.clock.wallMs();
    this.#window = sending.startWindow(options.outbox.progress);
    this.#epoch = options.outbox.epoch;
    this.#connection = this.#connectionTo(options);
  }

  #connectionTo({ broker, tls }: Endpoint): Connection {
    const { agent, clock, log, onProgress } = this.#options;
    // Of a broker that was left for another nothing counts any more.
    const isCurrent = (): boolean => this.#connection === connection;
    const connection = new Connection({
      broker,
      tls,
      agent,
      clock,
      log,
      onUp: (session) => {
        if (isCurrent()) this.#guarded(() => this.#up(session));
      },
      onDown: (session) => {
        if (this.#session === session) {
          this.#session = null;
          this.#since = clock.wallMs();
        }
        this.#drained?.();
      },
      onMessage: (channel, payload) => {
        if (!isCurrent()) return;
        if (channel === 'config') this.#options.onConfig?.(payload);
        else this.#guarded(() => this.#receive(payload));
      },
      onAttempt: onProgress,
    });
    return connection;
  }

  get isConnected(): boolean {
    return this.#session !== null;
  }

  /**
   * Whether there is nothing to publish now: all is sent, the cloud has as many batches as it wants,
   * or the disk cannot be read. A session that is down is not idle: it has to be tried again.
   */
  get isIdle(): boolean {
    if (this.#session === null) return false;
    return this.#isBroken || sending.room(this.#window) === 0 || !this.#options.outbox.hasUnsealed;
  }

  /**
   * How far this session has shown that it is of use: the broker takes what is published, and the
   * cloud behind it has receipted a batch.
   */
  get reach(): Reach {
    if (!this.isConnected || !this.#shown.isAccepted) return 'none';
    if (this.#shown.isReceipted) return 'cloud';
    return sending.isWaiting(this.#window) ? 'broker' : 'broker, nothing to receipt';
  }

  state(): UplinkState {
    return {
      url: this.#options.broker,
      isConnected: this.isConnected,
      since: this.#since,
      fault: this.isConnected ? null : this.#connection.fault,
      inFlight: this.#window.sent - this.#window.receipted,
      lastReceipt: this.#lastReceipt,
    };
  }

  start(): void {
    const { tickMs = TICK_MS } = this.#options;
    this.#ticker = setInterval(() => this.#guarded(() => this.#tick()), tickMs);
    this.#connection.start();
  }

  /** @param readings what was just committed to the outbox */
  wake(readings: readonly Reading[]): void {
    this.#live.committed(readings);
    this.#guarded(() => this.#pump());
  }

  /** Goes on with other settings; only another broker or other certificates end the session. */
  async reconfigure(
    settings: Endpoint & Pick<UplinkOptions, 'batchReadings' | 'healthMs'>,
  ): Promise<void> {
    const { broker, tls } = this.#options;
    this.#options = { ...this.#options, ...settings, tls: settings.tls };
    const isSame = isDeepStrictEqual([broker, tls], [settings.broker, settings.tls]);
    if (isSame || this.#isStopping) return;
    const left = this.#connection;
    this.#farewell();
    this.#connection = this.#connectionTo(settings);
    // The same broker may be meant: two sessions of one agent would end each other.
    await left.stop(FAREWELL_MS);
    if (!this.#isStopping) this.#connection.start();
  }

  /** Retained. Without a connection it is lost: say it again with the next one. */
  publishReported(report: ReportedConfig): void {
    const payload = JSON.stringify(report);
    this.#session?.publish('config/reported', payload, { qos: 1, retain: true });
  }

  /** Shows readings that wait for the disk: they cannot be counted before they are on it. */
  show(readings: readonly Reading[]): void {
    this.#live.waiting(readings);
  }

  /** Publishes what the outbox still holds until the deadline, then says goodbye. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#guarded(() => this.#pump());
    await this.#drain(deadlineMs);
    if (this.#ticker !== null) clearInterval(this.#ticker);
    this.#farewell();
    await this.#connection.stop(deadlineMs);
  }

  /** Ends the session in good order, so that no will needs to. */
  #farewell(): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    this.#since = this.#options.clock.wallMs();
    const gone: Status = { online: false, session: session.id, at: this.#now() };
    session.publish('status', JSON.stringify(gone), { qos: 1, retain: true });
  }

  async #drain(deadlineMs: number): Promise<void> {
    if (this.#session === null || this.#options.outbox.backlog === 0) return;
    await new Promise<void>((resolve) => {
      const deadline = setTimeout(resolve, deadlineMs);
      this.#drained = () => {
        clearTimeout(deadline);
        resolve();
      };
    });
    this.#drained = null;
  }

  #up(session: Session): void {
    this.#session = session;
    this.#since = this.#options.clock.wallMs();
    this.#window = sending.connected(this.#window, this.#options.clock.monotonicMs());
    this.#shown = { isAccepted: false, isReceipted: false };
    this.#publishStatus(session);
    this.#options.onConnected?.();
    if (this.#hasBacklog()) this.#live.repeat();
    this.#pump();
  }

  #tick(): void {
    const { clock, resendMs = RESEND_MS, healthMs, log } = this.#options;
    const session = this.#session;
    if (session === null) return;
    const now = clock.monotonicMs();
    const after = sending.expire(this.#window, now, resendMs);
    if (after !== this.#window) {
      const waiting = this.#window.sent - this.#window.receipted;
      log.warn({ batches: waiting, receipted: after.receipted }, 'no receipt moved: sending again');
      this.#window = after;
    }
    try {
      this.#pump();
    } finally {
      // With a disk that cannot be written the present is shown all the same.
      this.#publishLive(session);
      if (this.#health() !== this.#healthSent || now - this.#healthAt >= healthMs) {
        this.#publishStatus(session);
      }
    }
  }

  #health(): string {
    const { devices, alarms } = this.#options;
    return JSON.stringify([devices(), alarms?.()]);
  }

  /**
   * Fills the window. Batches are sealed as late as this, so that they are as full as can be.
   * @throws Failure `outbox-unwritable` where nothing can be sealed: what was before is sent
   */
  #pump(): void {
    const { outbox, clock } = this.#options;
    const session = this.#session;
    if (session === null) return;
    if (outbox.epoch !== this.#epoch) {
      this.#epoch = outbox.epoch;
      this.#window = sending.startWindow(outbox.progress);
    }
    const room = sending.room(this.#window);
    if (this.#cloudOffsetMs !== null) {
      outbox.limit(this.#cloudOffsetMs + clock.monotonicMs() + MAX_AHEAD_MS);
    }
    try {
      const waiting = this.#window.sealed - this.#window.sent;
      outbox.seal(room - waiting, this.#options.batchReadings);
    } finally {
      this.#send(session, room);
    }
    this.#isBroken = false;
  }

  #send(session: Session, room: number): void {
    const { outbox, clock } = this.#options;
    this.#window = sending.withSealed(this.#window, outbox.progress.sealed);
    const last = Math.min(this.#window.sealed, this.#window.sent + room);
    for (let seq = this.#window.sent + 1; seq <= last; seq += 1) {
      session.publish('readings', packBatch(outbox.batch(seq)), { qos: 1 });
      this.#window = sending.withSent(this.#window, seq, clock.monotonicMs());
      this.#options.onProgress?.();
    }
  }

  #receive(payload: Uint8Array): void {
    const { outbox, log, clock } = this.#options;
    const receipt = this.#parse(payload);
    if (receipt === null || receipt.epoch !== outbox.epoch) return;
    for (const { seq, index, reason } of receipt.rejected) {
      log.warn({ batch: seq, row: index, reason }, 'the cloud rejected readings');
    }
    this.#lastReceipt = { at: clock.wallMs(), upTo: receipt.upTo };
    this.#shown.isReceipted = true;
    this.#options.onProgress?.();
    if (receipt.now !== undefined) this.#hear(receipt.rejected, receipt.now);
    const after = sending.receive(this.#window, receipt, clock.monotonicMs());
    if (after === 'beyond') {
      outbox.renew();
      log.error({ upTo: receipt.upTo, epoch: outbox.epoch }, 'receipt of batches never sealed');
    } else {
      outbox.trim(after.receipted);
      this.#window = after;
    }
    this.#pump();
    if (outbox.backlog === 0) this.#drained?.();
  }

  /** What the cloud refused as too far ahead of its clock is kept, to be sent with its true time. */
  #hear(rejected: Receipt['rejected'], now: number): void {
    const { outbox, clock, log, onCloudTime } = this.#options;
    onCloudTime?.(now);
    this.#cloudOffsetMs = now - clock.monotonicMs();
    const ahead = this.#firstAhead(rejected, now + MAX_AHEAD_MS);
    if (ahead === null) return;
    outbox.renewFrom(ahead.seq, ahead.index);
    log.error({ epoch: outbox.epoch }, 'readings are ahead of the cloud: they wait');
  }

  /** The first reading that was refused because it is later than the cloud takes any. */
  #firstAhead(
    rejected: Receipt['rejected'],
    limitAt: number,
  ): { readonly seq: number; readonly index: number } | null {
    const { outbox } = this.#options;
    const { receipted, sealed } = outbox.progress;
    const found = rejected.flatMap(({ seq, index: row }) => {
      if (seq <= receipted || seq > sealed) return [];
      const { readings } = outbox.batch(seq);
      const index = readings.findIndex(
        ({ at }, place) => at > limitAt && (row === undefined || place === row),
      );
      return index < 0 ? [] : [{ seq, index }];
    });
    return found.toSorted((a, b) => a.seq - b.seq || a.index - b.index)[0] ?? null;
  }

  #parse(payload: Uint8Array): Receipt | null {
    try {
      return receiptSchema.parse(JSON.parse(new TextDecoder().decode(payload)));
    } catch (error) {
      this.#options.log.warn({ fault: messageOf(error) }, 'unreadable receipt');
      return null;
    }
  }

  /** What fits one batch is there as soon as the batch is; more than that is overtaken. */
  #hasBacklog(): boolean {
    const { outbox, batchReadings } = this.#options;
    return outbox.backlog > batchReadings;
  }

  #publishLive(session: Session): void {
    const readings = this.#live.take({ hasBacklog: this.#hasBacklog() });
    if (readings.length === 0) return;
    session.publish('live', JSON.stringify({ readings } satisfies Live), { qos: 0 });
  }

  #publishStatus(session: Session): void {
    const { outbox, version, clock, devices, alarms } = this.#options;
    const status: Status = {
      online: true,
      session: session.id,
      at: this.#now(),
      version,
      backlog: outbox.backlog,
      devices: devices(),
      alarms: alarms?.(),
    };
    const shown = this.#shown;
    const accepted = (): void => {
      shown.isAccepted = true;
    };
    // One that is not accepted is no news: the session closes, or there will be the next one.
    const delivered = session.deliver('status', JSON.stringify(status), { qos: 1, retain: true });
    delivered.then(accepted, () => {});
    this.#healthAt = clock.monotonicMs();
    this.#healthSent = this.#health();
  }

  #now(): number {
    return Math.max(1, this.#options.clock.wallMs());
  }

  /** A disk that cannot be written now may be later; the next tick tries again. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Failure) || error.retry === 'never') {
        this.#options.onFatal(error);
        return;
      }
      if (!this.#isBroken) this.#options.log.error({ err: error }, 'the uplink waits for the disk');
      this.#isBroken = true;
    }
  }
}
