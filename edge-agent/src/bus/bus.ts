import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { backoffMs, failuresAfter } from '../core/backoff.ts';
import { BusyShare } from '../core/latency.ts';
import type { ScaleFault, ScaleRead } from '../core/scale-read.ts';
import {
  awoken,
  deadlineMs,
  isOpen,
  nextPoll,
  polled,
  retried,
  startTurn,
  type Turn,
} from '../core/turns.ts';
import type { BusSnapshot } from './snapshot.ts';
import { Experience } from './experience.ts';
import { Pause } from './pause.ts';
import type { ScaleDriver, ScaleSession } from '../scale/port.ts';

const RECONNECT = { firstMs: 500, mostMs: 30_000 };

/**
 * So many slaves in a row that had answered before and are silent now, or everybody silent, is the
 * line's fault: a converter that hangs, half a TCP connection. A new line mends both.
 */
const SILENT_LINE = 3;

/** The longest pause after a connection that is tried: gateways that first look for their slaves. */
const LONGEST_CONNECT_PAUSE_MS = 2_500;

export interface BusOptions<Scale, Read> {
  readonly name: string;
  readonly driver: ScaleDriver<NoInfer<Scale>, Read>;
  readonly scales: readonly Scale[];
  /** How long an answer may take, ms. Where it is given, experience may shorten it. */
  readonly timeoutMs?: number | undefined;
  /** Silence before every request to a slave, ms; learned for each where it is not given. */
  readonly pauseMs?: number | undefined;
  /** Silence after the line was opened, ms; learned where it is not given. */
  readonly pauseAfterConnectMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRead: (scale: Scale, read: NoInfer<Read> | ScaleFault) => void;
  /** How often a scale that answers is read now, where that is not its `pollMs`. */
  readonly paceMs?: (scale: NoInfer<Scale>) => number;
}

/**
 * The only one who speaks on a physical line: first come, first served, one request at a time,
 * whoever of the slaves is due. A slave that is silent is asked less and less often, and waited for
 * no longer than its answers have taken, so that it costs the others little.
 */
export class Bus<Scale extends { readonly pollMs: number }, Read = ScaleRead> {
  readonly #options: BusOptions<Scale, Read>;
  readonly #stopping = new AbortController();
  readonly #experience: ReadonlyMap<Scale, Experience>;
  readonly #connectPause: Pause;
  readonly #busy: BusyShare;
  #turns: readonly Turn<Scale>[];
  #session: ScaleSession<Scale, Read> | null = null;
  #done: Promise<void> | null = null;
  /** Why the line is down; `null` while it is up. */
  #fault: string | null = 'not opened yet';
  /** Whether the log has said that it is down. */
  #isSaid = false;
  #opened = 0;
  /** When anything was answered last. */
  #answeredAt: number | null = null;

  constructor(options: BusOptions<Scale, Read>) {
    this.#options = options;
    this.#turns = options.scales.map((scale) => startTurn(scale, scale.pollMs));
    const { scales, pauseMs, pauseAfterConnectMs } = options;
    this.#experience = new Map(scales.map((scale) => [scale, new Experience({ pauseMs })]));
    this.#connectPause = new Pause({
      configuredMs: pauseAfterConnectMs,
      longestMs: LONGEST_CONNECT_PAUSE_MS,
    });
    this.#busy = new BusyShare(options.clock.monotonicMs());
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Breaks off whatever is waited for; may be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#session?.close();
    await this.#done;
  }

  /** How the line and its slaves are doing: plain data. */
  snapshot(): BusSnapshot<Scale> {
    const now = this.#options.clock.monotonicMs();
    return {
      name: this.#options.name,
      isUp: this.#fault === null,
      fault: this.#fault,
      opened: this.#opened,
      busyShare: this.#busy.at(now),
      pauseAfterConnect: this.#connectPause.summary(),
      slaves: this.#turns.map((turn) => ({
        scale: turn.scale,
        breaker: isOpen(turn) ? 'open' : 'closed',
        nextInMs: Math.max(0, Math.round(turn.dueAt - now)),
        ...this.#experienceOf(turn.scale).summary(),
      })),
    };
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    let failures = 0;
    while (!this.#isStopping) {
      let openedAt: number | null = null;
      try {
        this.#session = await this.#options.driver.open();
        this.#opened += 1;
        openedAt = clock.monotonicMs();
        await this.#pause(this.#connectPause.ms);
        const fault = await this.#poll(this.#session);
        if (this.#isStopping) return;
        this.#says(fault);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (this.#isStopping) return;
        this.#says(error.message);
        this.#allFailed(error.message);
      } finally {
        this.#session?.close();
        this.#session = null;
      }
      const now = clock.monotonicMs();
      failures = failuresAfter(failures, {
        stoodMs: now - (openedAt ?? now),
        answeredAgoMs: this.#answeredAt === null ? null : now - this.#answeredAt,
      });
      await this.#pause(backoffMs(failures - 1, Math.random(), RECONNECT));
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Reads whoever is due, until the line fails or is stopped; @returns what failed */
  async #poll(session: ScaleSession<Scale, Read>): Promise<string> {
    const { clock } = this.#options;
    let silent = 0;
    let fellSilent = 0;
    let isFirst = true;
    while (!this.#isStopping) {
      const { turn, waitMs } = nextPoll(this.#turns, clock.monotonicMs());
      if (waitMs > 0) {
        await this.#pause(waitMs);
        continue;
      }
      const startedAt = clock.monotonicMs();
      const isTrial =
        this.#experienceOf(turn.scale).pause.isTrial || (isFirst && this.#connectPause.isTrial);
      const failure = await this.#ask(session, turn);
      if (this.#isStopping) break;
      if (isFirst) this.#connectPause.learn(failure === null || failure.retry === 'now');
      isFirst = false;
      if (failure?.code === 'link-down') {
        this.#failed(turn, failure, startedAt);
        return failure.message;
      }
      if (failure === null || failure.retry === 'now') {
        silent = 0;
        fellSilent = 0;
        if (failure !== null) this.#again(turn, failure, startedAt);
      } else if (isTrial) {
        await session.drain();
        this.#again(turn, failure, startedAt);
      } else {
        silent += 1;
        fellSilent =
          turn.failures === 0 && this.#experienceOf(turn.scale).reads > 1
            ? fellSilent + 1
            : fellSilent;
        await session.drain();
        this.#failed(turn, failure, startedAt);
        const everybody = this.#turns.every(({ failures }) => failures > 0);
        if (fellSilent >= SILENT_LINE || (silent >= SILENT_LINE && everybody)) {
          return 'nobody answers';
        }
      }
      this.#busy.add(startedAt, clock.monotonicMs());
    }
    return 'stopped';
  }

  /** @returns why there is no answer, or `null` */
  async #ask(session: ScaleSession<Scale, Read>, turn: Turn<Scale>): Promise<Failure | null> {
    const { clock, onRead, timeoutMs } = this.#options;
    const experience = this.#experienceOf(turn.scale);
    const { pause, slowestMs } = experience;
    const startedAt = clock.monotonicMs();
    try {
      const read = await session.read(turn.scale, {
        timeoutMs: timeoutMs === undefined ? undefined : deadlineMs(turn, { timeoutMs, slowestMs }),
        pauseMs: pause.ms,
      });
      const now = clock.monotonicMs();
      experience.answered(now - startedAt);
      this.#answeredAt = now;
      this.#turns = awoken(this.#turns, now);
      this.#says(null);
      onRead(turn.scale, read);
      const pollMs = this.#options.paceMs?.(turn.scale) ?? turn.scale.pollMs;
      this.#turned(turn, polled({ ...turn, pollMs }, { answered: true }, now));
      return null;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      experience.failed(error);
      return error;
    }
  }

  /** It answered that it wants to be asked again; after some times of it, that is a failure. */
  #again(turn: Turn<Scale>, failure: Failure, startedAt: number): void {
    this.#says(null);
    const later = retried(turn, this.#options.clock.monotonicMs());
    if (later === null) this.#failed(turn, failure, startedAt);
    else this.#turned(turn, later);
  }

  #failed(turn: Turn<Scale>, failure: Failure, startedAt: number): void {
    const now = this.#options.clock.monotonicMs();
    const others = this.#turns.filter(({ scale }) => scale !== turn.scale);
    const silent = 1 + others.filter(({ failures }) => failures > 0).length;
    const costMs = silent > others.length ? 0 : now - startedAt;
    const usual = { ...turn, pollMs: turn.scale.pollMs };
    this.#turned(turn, polled(usual, { answered: false, costMs, silent }, now));
    const fault: ScaleFault = { ok: false, quality: 'comm-error', why: failure.message };
    this.#options.onRead(turn.scale, fault);
  }

  #turned(turn: Turn<Scale>, after: Turn<Scale>): void {
    this.#turns = this.#turns.map((other) => (other.scale === turn.scale ? after : other));
  }

  #experienceOf(scale: Scale): Experience {
    const experience = this.#experience.get(scale);
    if (experience === undefined) throw new Error('not a scale of this line');
    return experience;
  }

  /**
   * Without a line nobody can be read: all who are due say so. They stay due, so that a line that
   * comes back is read at once.
   */
  #allFailed(why: string): void {
    const now = this.#options.clock.monotonicMs();
    for (const { scale } of this.#turns.filter(({ dueAt }) => dueAt <= now)) {
      this.#options.onRead(scale, { ok: false, quality: 'comm-error', why });
    }
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#stopping.signal });
    } catch (error) {
      if (!this.#isStopping) throw error;
    }
  }

  /** Changes of the line's state, not every attempt. */
  #says(fault: string | null): void {
    const { log, name } = this.#options;
    this.#fault = fault;
    if (fault === null && this.#isSaid) log.info({ link: name }, 'the link is up again');
    if (fault !== null && !this.#isSaid) log.warn({ link: name, fault }, 'the link is down');
    this.#isSaid = fault !== null;
  }
}
