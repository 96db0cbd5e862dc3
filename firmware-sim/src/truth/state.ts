import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure, messageOf } from '#shared/failure.ts';
import { DAY_MS, MINUTE_MS } from '#shared/units.ts';
import { fileFailure, isMissing, setAside } from '../file-errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { worldOf } from '../scenario/world.ts';
import { BY_HAND_FILE } from './by-hand.ts';
import { TRUTH_FILE } from './truth.ts';

const stateSchema = z.object({
  scenario: z.string(),
  /** Digest of what decides the course of the world. */
  world: z.string(),
  /** When this state was made, ms since 1970 UTC: history ends, live readings begin. */
  startedAt: z.int(),
  /** The world begins here; `startedAt` where there is no history. */
  historyFrom: z.int(),
  /** How many times faster than the clock the world runs after `startedAt`. */
  speed: z.number().positive().default(1),
  /** truth.jsonl is complete up to here at least. */
  truthTo: z.int(),
});

export type State = z.infer<typeof stateSchema>;

/**
 * Reads `<dir>/state.json`, or makes it where it is missing.
 * @param historyDays what a new state's world begins before `now`
 * @throws Failure `corrupt-state` after setting a broken file aside; `other-world` where the
 *   scenario has changed since
 */
export async function openState(options: {
  readonly dir: string;
  readonly scenario: Scenario;
  readonly now: number;
  readonly historyDays: number;
  /** Absent: 1. */
  readonly speed?: number;
}): Promise<State> {
  const { dir, scenario, now, historyDays, speed = 1 } = options;
  const file = join(dir, 'state.json');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw fileFailure(file, error);
  });
  if (text !== null) {
    return checked(file, await parsed(file, text, now), scenario, speed);
  }
  // Truth of another world must not be continued by this one's.
  await setAside(join(dir, TRUTH_FILE), now);
  await setAside(join(dir, BY_HAND_FILE), now);
  const startedAt = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const historyFrom = startedAt - historyDays * DAY_MS;
  const state: State = {
    scenario: scenario.name,
    world: digestOf(scenario),
    startedAt,
    historyFrom,
    speed,
    truthTo: historyFrom,
  };
  await writeState(dir, state);
  return state;
}

/** @throws Failure `file` */
export async function writeState(dir: string, state: State): Promise<void> {
  const file = join(dir, 'state.json');
  const temporary = `${file}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(`${JSON.stringify(state, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    throw fileFailure(file, error);
  }
}

async function parsed(file: string, text: string, now: number): Promise<State> {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    const aside = await setAside(file, now);
    const why = cause instanceof z.ZodError ? 'a field is missing or wrong' : messageOf(cause);
    const message =
      `${file}: not a state of the simulator (${why}); ` +
      `set aside as ${aside}, a new world begins with the next start`;
    throw new Failure('corrupt-state', message, { retry: 'never', cause });
  }
}

function checked(file: string, state: State, scenario: Scenario, speed: number): State {
  // Nothing has happened yet after a history: any speed may follow it.
  const isFresh = state.truthTo <= state.startedAt;
  if (state.speed !== speed && !isFresh) {
    const message = `${file}: begun with --speed ${state.speed}; go on with it, or use another --state`;
    throw new Failure('other-speed', message, { retry: 'never' });
  }
  if (state.world === digestOf(scenario)) return { ...state, speed };
  const message =
    `${file}: begun with another seed, other bins or amounts (scenario ${state.scenario}); ` +
    'use another --state folder for the changed scenario';
  throw new Failure('other-world', message, { retry: 'never' });
}

function digestOf(scenario: Scenario): string {
  const world = JSON.stringify([scenario.seed, worldOf(scenario)]);
  return createHash('sha256').update(world).digest('hex').slice(0, 16);
}
