import { join } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';
import { createControl, type Control } from './control/control.ts';
import { FrameLog } from './control/frame-log.ts';
import type { Indicator } from './core/indicator.ts';
import { FAULTS_FILE, faultLog } from './faults/fault-log.ts';
import { createLines } from './faults/lines.ts';
import { openLinks, type OpenLink } from './links/links.ts';
import type { Scale, Scenario } from './scenario/scenario.ts';
import { LiveWorld } from './simulation/live-world.ts';
import { keep, remember } from './truth/memory.ts';

export interface RunningSimulator {
  readonly links: readonly OpenLink[];
  /** What a technician may do to it. */
  readonly control: Control;
  /** Rejects when the truth can no longer be kept. */
  readonly failed: Promise<never>;
  /** Frees ports and files; the truth is complete up to then. May be called twice. */
  close(): Promise<void>;
}

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
  const world = new LiveWorld({ scenario, memory, speed, clock, now });
  const frames = new FrameLog();
  const lines = createLines({
    scenario,
    clock,
    onInjected: faultLog(stateDir === null ? null : join(stateDir, FAULTS_FILE), log),
    onPiece: (place, piece) => frames.add(place, clock.wallMs(), piece),
  });
  const { through, faultsOf } = lines;
  const indicator = (scale: Scale): Indicator => lines.seen(scale, world.indicator(scale.bin));
  const opening = openLinks({
    scenario,
    around: {
      indicatorOf: indicator,
      quantityOf: ({ bin }) => world.content(bin).quantity,
      isAway: (site, link) => world.isAway(site, link),
    },
    through,
    ptyDir,
    onPtyLost: (message) => log.warn(message),
  });
  const open = await opening.catch(async (error: unknown) => {
    await memory?.truth.close();
    throw error;
  });
  const { links } = open;
  const keeping = memory && keep(memory, clock, world);
  const control = createControl({ scenario, links, faultsOf, frames, indicator, world });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await open.close();
    await keeping?.stop();
  };
  return {
    links,
    control,
    failed: keeping?.failed ?? new Promise<never>(() => {}),
    close: () => (closed ??= close()),
  };
}
