import { join } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';
import { MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import type { Indicator } from './core/indicator.ts';
import { openLinks, type OpenLink } from './links.ts';
import type { Scenario } from './scenario.ts';
import { createSimulation } from './simulation.ts';
import { openState, writeState, type State } from './state.ts';
import { TRUTH_FILE, openTruth, type Truth } from './truth.ts';

export interface RunningSimulator {
  readonly links: readonly OpenLink[];
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
  readonly stateDir: string | null;
  readonly ptyDir: string | null;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<RunningSimulator> {
  const { scenario, stateDir, ptyDir, clock, log } = options;
  const now = clock.wallMs();
  const memory = stateDir === null ? null : await remember(scenario, stateDir, now, log);
  const simulation = createSimulation(scenario, memory?.state.historyFrom ?? now);
  const advance = (): void => {
    const events = simulation.advance(clock.wallMs());
    memory?.truth.add(events);
  };
  advance();
  const opening = openLinks({
    scenario,
    indicatorOf: (scale) => live(simulation.indicator(scale.bin), advance),
    ptyDir,
    onPtyLost: (message) => log.error(message),
  });
  const open = await opening.catch(async (error: unknown) => {
    await memory?.truth.close();
    throw error;
  });
  const keeping = memory && keep(memory, clock, advance);
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await open.close();
    await keeping?.stop();
  };
  return {
    links: open.links,
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

async function remember(scenario: Scenario, dir: string, now: number, log: Log): Promise<Memory> {
  const state = await openState({ dir, scenario, now, historyDays: 0 });
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
  advance: () => void,
): { readonly failed: Promise<never>; stop(): Promise<void> } {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  let truthTo = state.truthTo;
  let stateAt = clock.monotonicMs();

  async function save(withState: boolean): Promise<void> {
    const upTo = clock.wallMs();
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
