import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { backoffMs, failuresAfter } from '../core/backoff.ts';
import { blame, NO_SILENCE, type Outcome } from '../core/blame.ts';
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
        this.#lineIs(fault);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        if (this.#isStopping) return;
        this.#lineIs(error.message);
        this.#tellAllDue(error.message);
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
    let silence = NO_SILENCE;
    let isFirst = true;
    while (!this.#isStopping) {
      const { turn, waitMs } = nextPoll(this.#turns, clock.monotonicMs());
      if (waitMs > 0) {
        await this.#pause(waitMs);
        continue;
      }
      const startedAt = clock.monotonicMs();
      const experience = this.#experienceOf(turn.scale);
      const isTrial = experience.pause.isTrial || (isFirst && this.#connectPause.isTrial);
      const failure = await this.#ask(session, turn);
      if (this.#isStopping) break;
      const outcome = outcomeOf(failure);
      if (isFirst) this.#connectPause.learn(outcome === 'answered' || outcome === 'again');
      isFirst = false;
      const hadAnswered = turn.failures === 0 && experience.reads > 1;
      const areOthersSilent = this.#others(turn).every(({ failures }) => failures > 0);
      const judged = blame(silence, { outcome, isTrial, hadAnswered, areOthersSilent });
      ({ silence } = judged);
      if (outcome === 'silent') await session.drain();
      if (failure !== null) {
        if (judged.on === 'nobody') this.#askAgain(turn, failure, startedAt);
        else this.#slaveFailed(turn, failure, startedAt);
        if (judged.on === 'line') {
          return outcome === 'line-down' ? failure.message : 'nobody answers';
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
      this.#lineIs(null);
      onRead(turn.scale, read);
      const pollMs = this.#options.paceMs?.(turn.scale) ?? turn.scale.pollMs;
      this.#keepTurn(polled({ ...turn, pollMs }, { answered: true }, now));
      return null;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      experience.failed(error);
      return error;
    }
  }

  /** Once more, soon and without a fault; after some times of it, that is a failure. */
  #askAgain(turn: Turn<Scale>, failure: Failure, startedAt: number): void {
    this.#lineIs(null);
    const later = retried(turn, this.#options.clock.monotonicMs());
    if (later === null) this.#slaveFailed(turn, failure, startedAt);
    else this.#keepTurn(later);
  }

  #slaveFailed(turn: Turn<Scale>, failure: Failure, startedAt: number): void {
    const now = this.#options.clock.monotonicMs();
    const others = this.#others(turn);
    const silent = 1 + others.filter(({ failures }) => failures > 0).length;
    const costMs = silent > others.length ? 0 : now - startedAt;
    const usual = { ...turn, pollMs: turn.scale.pollMs };
    this.#keepTurn(polled(usual, { answered: false, costMs, silent }, now));
    const fault: ScaleFault = { ok: false, quality: 'comm-error', why: failure.message };
    this.#options.onRead(turn.scale, fault);
  }

  #others({ scale }: Turn<Scale>): Turn<Scale>[] {
    return this.#turns.filter((other) => other.scale !== scale);
  }

  #keepTurn(turn: Turn<Scale>): void {
    this.#turns = this.#turns.map((other) => (other.scale === turn.scale ? turn : other));
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
  #tellAllDue(why: string): void {
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

  /** Says changes of the line's state, not every attempt. @param fault why it is down, or `null` */
  #lineIs(fault: string | null): void {
    const { log, name } = this.#options;
    this.#fault = fault;
    if (fault === null && this.#isSaid) log.info({ link: name }, 'the link is up again');
    if (fault !== null && !this.#isSaid) log.warn({ link: name, fault }, 'the link is down');
    this.#isSaid = fault !== null;
  }
}

function outcomeOf(failure: Failure | null): Outcome {
  if (failure === null) return 'answered';
  if (failure.code === 'link-down') return 'line-down';
  return failure.retry === 'now' ? 'again' : 'silent';
}
