import { join } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';
import { MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { openState, writeState, type State } from './state.ts';
import { TRUTH_FILE, openTruth, type Truth } from './truth.ts';

/** The world goes on without anybody looking. */
const TICK_MS = SECOND_MS;
const STATE_MS = MINUTE_MS;

/** What a folder keeps of a running world. */
export interface Memory {
  readonly dir: string;
  readonly state: State;
  readonly truth: Truth;
}

/** @throws Failure for whatever an operator has to mend */
export async function remember(options: {
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
export function keep(
  { dir, state, truth }: Memory,
  clock: Clock,
  world: { nowMs(): number; advance(): void },
): { readonly failed: Promise<never>; stop(): Promise<void> } {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  let truthTo = state.truthTo;
  let stateAt = clock.monotonicMs();

  async function save(withState: boolean): Promise<void> {
    const upTo = world.nowMs();
    world.advance();
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
