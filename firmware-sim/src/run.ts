import { join } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';
import { MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import { createControl, type Control } from './control/control.ts';
import { FrameLog } from './control/frame-log.ts';
import type { Indicator } from './core/indicator.ts';
import { FAULTS_FILE, faultLog } from './faults/fault-log.ts';
import { createLines } from './faults/lines.ts';
import { openLinks, type OpenLink } from './links/links.ts';
import type { Scenario } from './scenario/scenario.ts';
import { createSimulation } from './simulation/simulation.ts';
import { appendByHand, BY_HAND_FILE, readByHand } from './truth/by-hand.ts';
import type { TruthEvent } from './truth/incidents.ts';
import { openState, writeState, type State } from './truth/state.ts';
import { TRUTH_FILE, openTruth, type Truth } from './truth/truth.ts';

export interface RunningSimulator {
  readonly links: readonly OpenLink[];
  /** What a technician may do to it. */
  readonly control: Control;
  /** Rejects when the truth can no longer be kept. */
  readonly failed: Promise<never>;
  /** Frees ports and files; the truth is complete up to then. May be called twice. */
  close(): Promise<void>;
}

/** The world goes on without anybody looking. */
const TICK_MS = SECOND_MS;
const STATE_MS = MINUTE_MS;

/**
 * Lets the world run by the wall clock and serves its scales.
 * @param stateDir where the world is remembered; `null`: it begins now and is forgotten
 * @throws Failure for whatever an operator has to mend
 */
export async function startSimulator(options: {
  readonly scenario: Scenario;
  /** How many times faster than the clock the world runs; absent: 1. */
  readonly speed?: number;
  readonly stateDir: string | null;
  readonly ptyDir: string | null;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<RunningSimulator> {
  const { scenario, speed = 1, stateDir, ptyDir, clock, log } = options;
  const now = clock.wallMs();
  const memory = stateDir === null ? null : await remember({ scenario, stateDir, speed, now, log });
  const liveFrom = memory?.state.startedAt ?? now;
  const time = worldTime(liveFrom, speed);
  const era = { from: memory?.state.historyFrom ?? now, liveFrom };
  const byHand = stateDir === null ? null : join(stateDir, BY_HAND_FILE);
  const simulation = createSimulation(scenario, era, byHand === null ? [] : readByHand(byHand));
  const advance = (): void => {
    tell(simulation.advance(time.at(clock.wallMs())));
  };
  const tell = (events: readonly TruthEvent[]): void =>
    memory?.truth.add(speed === 1 ? events : events.map((event) => time.stamped(event)));
  advance();
  const frames = new FrameLog();
  const lines = createLines({
    scenario,
    clock,
    onInjected: faultLog(stateDir === null ? null : join(stateDir, FAULTS_FILE), log),
    onPiece: (place, piece) => frames.add(place, clock.wallMs(), piece),
  });
  const opening = openLinks({
    scenario,
    around: {
      indicatorOf: (scale) => lines.seen(scale, live(simulation.indicator(scale.bin), advance)),
      quantityOf: (scale) => {
        advance();
        return simulation.content(scale.bin).quantity;
      },
      isAway: (site, link) => {
        advance();
        return simulation.isAway(site, link);
      },
    },
    through: lines.through,
    ptyDir,
    onPtyLost: (message) => log.warn(message),
  });
  const open = await opening.catch(async (error: unknown) => {
    await memory?.truth.close();
    throw error;
  });
  const keeping =
    memory && keep(memory, clock, { advance, worldMs: () => time.at(clock.wallMs()) });
  const control = createControl({
    scenario,
    links: open.links,
    faultsOf: lines.faultsOf,
    frames,
    indicator: (scale) => lines.seen(scale, live(simulation.indicator(scale.bin), advance)),
    content(bin) {
      advance();
      return simulation.content(bin);
    },
    act(bin, deed) {
      advance();
      if (byHand !== null) appendByHand(byHand, { at: simulation.now, bin, deed });
      tell(simulation.act(bin, deed));
    },
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await open.close();
    await keeping?.stop();
  };
  return {
    links: open.links,
    control,
    failed: keeping?.failed ?? new Promise<never>(() => {}),
    close() {
      closed ??= close();
      return closed;
    },
  };
}

interface Memory {
  readonly dir: string;
  readonly state: State;
  readonly truth: Truth;
}

/** The world's time runs `speed` times as fast as the clock since live readings began. */
function worldTime(
  liveFrom: number,
  speed: number,
): { at(wallMs: number): number; stamped(event: TruthEvent): TruthEvent & { wall: number } } {
  const scaled = (ms: number, factor: number): number =>
    ms <= liveFrom ? ms : Math.round(liveFrom + (ms - liveFrom) * factor);
  return {
    at: (wallMs) => scaled(wallMs, speed),
    /** With the clock's time at which the event could be seen. */
    stamped: (event) => ({ ...event, wall: scaled(event.at, 1 / speed) }),
  };
}

async function remember(options: {
  readonly scenario: Scenario;
  readonly stateDir: string;
  readonly speed: number;
  readonly now: number;
  readonly log: Log;
}): Promise<Memory> {
  const { scenario, stateDir: dir, speed, now, log } = options;
  const state = await openState({ dir, scenario, now, historyDays: 0, speed });
  const truth = await openTruth(join(dir, TRUTH_FILE), now);
  if (truth.replaced !== null) {
    log.warn({ file: truth.replaced }, 'truth.jsonl was damaged: set aside and written anew');
  }
  return { dir, state, truth };
}

/** Writes down what happens until stopped. */
function keep(
  { dir, state, truth }: Memory,
  clock: Clock,
  { advance, worldMs }: { readonly advance: () => void; readonly worldMs: () => number },
): { readonly failed: Promise<never>; stop(): Promise<void> } {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  let truthTo = state.truthTo;
  let stateAt = clock.monotonicMs();

  async function save(withState: boolean): Promise<void> {
    const upTo = worldMs();
    advance();
    await truth.flush();
    if (!withState) return;
    truthTo = Math.max(truthTo, upTo);
    await writeState(dir, { ...state, truthTo });
    stateAt = clock.monotonicMs();
  }

  let saving = save(true);
  saving.catch(reject);
  const timer = setInterval(() => {
    saving = saving.then(() => save(clock.monotonicMs() - stateAt >= STATE_MS));
    saving.catch(reject);
  }, TICK_MS);
  return {
    failed,
    async stop() {
      clearInterval(timer);
      try {
        await saving;
        await save(true);
      } finally {
        await truth.close();
      }
    },
  };
}

/** An indicator that looks at the world as it is at this moment. */
function live(indicator: Indicator, advance: () => void): Indicator {
  return {
    isOn() {
      advance();
      return indicator.isOn();
    },
    display() {
      advance();
      return indicator.display();
    },
    zero() {
      advance();
      return indicator.zero();
    },
    tare() {
      advance();
      return indicator.tare();
    },
    presetTare: (massMg) => indicator.presetTare(massMg),
    clearTare: () => indicator.clearTare(),
  };
}
