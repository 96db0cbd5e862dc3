import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '#shared/clock.ts';
import type { BinId } from '#shared/ids.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { AgentConfig, LinkConfig } from './config.ts';
import { expectationsOf, reasonOf, unfulfilled, type TrialLink } from '../core/trial.ts';
import type { Device } from '../bus/poller.ts';
import type { Reach } from '../uplink/uplink.ts';

/** How often a trial is looked at. */
const LOOK_MS = 100;

/** The running agent, as far as a configuration changes it. */
export interface Reconfigurable {
  /** Goes over to this configuration; what it does not change goes on undisturbed. */
  follow(config: AgentConfig): Promise<void>;
  /** What the bins gave when they were last read, those of changed links since the change. */
  devices(): readonly Device[];
  /** Monotonic time of the bin's newest weight; null before the first. */
  weighedAt(bin: BinId): number | null;
  /** How far messages get, and why no further. */
  uplink(): { readonly reach: Reach; readonly fault: string | null };
}

export interface TrialOptions {
  /** In force until now. */
  readonly before: AgentConfig;
  readonly running: Reconfigurable;
  readonly clock: Clock;
  /** Ends the trial without a result. */
  readonly signal: AbortSignal;
}

/**
 * Has the agent follow a configuration, and measures whether it does.
 * @returns why it does not do; null where it does, or where the trial was ended
 */
export async function tryOut(config: AgentConfig, options: TrialOptions): Promise<string | null> {
  const { before, running, clock, signal } = options;
  const trialMs = config.remote.trialS * SECOND_MS;
  const { changed, kept, keptWithinMs } = expectationsOf(
    config.links.map((link) => trialLink(link, before)),
    weighing(running),
    trialMs,
  );
  const isMoved = !isDeepStrictEqual([before.broker, before.tls], [config.broker, config.tls]);
  await running.follow(config);
  const startedAt = clock.monotonicMs();
  /** From when on the links that are as they were must go on: a new one may disturb them. */
  let changedAt: number | null = null;
  while (!signal.aborted) {
    const now = clock.monotonicMs();
    const good = weighing(running);
    const hasWeighed = (since: number) => (bin: BinId) =>
      good.has(bin) && (running.weighedAt(bin) ?? -Infinity) >= since;
    const silent = unfulfilled(changed, hasWeighed(startedAt));
    if (silent.length === 0) changedAt ??= now;
    const isOver = now >= Math.max(startedAt + trialMs, (changedAt ?? 0) + keptWithinMs);
    const keptSince = changedAt ?? startedAt;
    const missing = [...silent, ...unfulfilled(kept, hasWeighed(keptSince))];
    const broker = isMoved ? brokerFault(config, { running, isOver }) : null;
    if (missing.length === 0 && broker === null) return null;
    if (isOver) {
      const faults = new Map(running.devices().map(({ bin, fault }) => [bin, fault]));
      const scales = missing.length === 0 ? [] : [reasonOf(missing, (bin) => faults.get(bin))];
      const lacks = broker === null ? scales : [...scales, broker];
      return `within ${config.remote.trialS} s: ${lacks.join('; ')}`;
    }
    await pause(LOOK_MS);
  }
  return null;
}

/** The bins that gave a weight when they were last read. */
const weighing = (running: Reconfigurable): ReadonlySet<string> =>
  new Set(running.devices().flatMap(({ bin, ok }) => (ok ? [bin] : [])));

function trialLink(link: LinkConfig, before: AgentConfig): TrialLink {
  const old = before.links.find(({ name }) => name === link.name);
  const polled = 'sensors' in link ? [...link.scales, ...link.sensors] : link.scales;
  return {
    name: link.name,
    isChanged: !isDeepStrictEqual(old, link),
    timeoutMs: link.timeoutMs,
    bins: polled.map(({ bin, pollMs }) => ({ bin, pollMs })),
  };
}

/**
 * A broker takes messages whether or not the cloud is behind it, so a receipt is waited for. Only
 * where there was nothing to receipt all the time, the broker's word has to do.
 * @returns why the broker does not do; null where it does
 */
function brokerFault(
  { broker }: AgentConfig,
  { running, isOver }: { readonly running: Reconfigurable; readonly isOver: boolean },
): string | null {
  const { reach, fault } = running.uplink();
  if (reach === 'cloud' || (isOver && reach === 'broker, nothing to receipt')) return null;
  const missing = reach === 'none' ? 'no connection yet' : 'no receipt from the cloud';
  return `broker ${broker}: ${fault ?? missing}`;
}
