import { join } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import type { AgentId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { MINUTE_MS } from '#shared/units.ts';
import type { ReportedConfig } from '#shared/wire/config.ts';
import type { LinkSnapshot } from './bus/snapshot.ts';
import type { ClockState } from './clock/keeper.ts';
import type { LinkConfig } from './configuration/config.ts';
import type { Intake } from './intake/intake.ts';
import type { Outbox } from './outbox/outbox.ts';
import type { UpkeepState } from './outbox/upkeep.ts';
import type { Device, LinkWatch } from './bus/poller.ts';
import type { LinkStatus, SlaveStatus, StatusReport } from './status/report.ts';
import type { UplinkState } from './uplink/uplink.ts';
import type { Notify } from './watchdog/systemd.ts';
import { Watchdog } from './watchdog/watchdog.ts';
import { WireRecorder } from './wire/recorder.ts';

/** Committing is tried every 200 ms, a connection at least every 40 s: 30 s pause, 10 s deadline. */
const PATIENCE_MS = { commit: MINUTE_MS, publish: 2 * MINUTE_MS };

/** A silent slave is probed, and a dead line opened again, at least every 30 s. */
const POLL_PATIENCE_MS = MINUTE_MS;

/** The parts of the agent that are asked when its state is asked for. */
export interface StatusSources {
  readonly links: () => readonly LinkSnapshot[];
  readonly devices: () => readonly Device[];
  readonly outbox: Pick<Outbox, 'epoch' | 'backlog'>;
  readonly intake: Pick<Intake, 'pending' | 'newest'>;
  readonly upkeep: () => UpkeepState;
  readonly clock: () => ClockState;
  readonly uplink: () => UplinkState;
  readonly remote: () => ReportedConfig | null;
  readonly alarms: () => readonly string[];
}

export interface OperationOptions {
  readonly agent: AgentId;
  readonly dataDir: string;
  readonly file: string | null;
  readonly version: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly notify: Notify;
  /** Whether publishing has nothing to do. */
  readonly isPublishingIdle: () => boolean;
}

/** What watches over the agent at work: the watchdog, the wire recorder, and who asks for its state. */
export class Operation {
  readonly #options: OperationOptions;
  readonly #watchdog: Watchdog;
  readonly #recorder: WireRecorder;
  readonly #startedAtMs: number;

  constructor(options: OperationOptions) {
    this.#options = options;
    const { dataDir, clock, log, notify, isPublishingIdle } = options;
    this.#startedAtMs = clock.monotonicMs();
    this.#recorder = new WireRecorder({ folder: join(dataDir, 'wire'), clock, log });
    this.#watchdog = new Watchdog({ clock, alive: () => notify('WATCHDOG=1') });
    this.#watchdog.watch('commit', { patienceMs: PATIENCE_MS.commit });
    this.#watchdog.watch('publish', { patienceMs: PATIENCE_MS.publish, isIdle: isPublishingIdle });
  }

  /** A commit was made or tried, or there was none to make. */
  committed(): void {
    this.#watchdog.moved('commit');
  }

  /** Something was published, receipted, or a connection was tried. */
  published(): void {
    this.#watchdog.moved('publish');
  }

  /** For the poller: what it tells of its links. */
  get links(): LinkWatch {
    return {
      watch: (link) => {
        this.#watchdog.watch(partOf(link.name), { patienceMs: longestPauseMs(link) });
        return this.#recorder.tap(link.name, link.protocol);
      },
      forget: (link) => {
        this.#watchdog.forget(partOf(link));
        this.#recorder.forget(link);
      },
      polled: (link) => this.#watchdog.moved(partOf(link)),
      fault: (link, fault, why) => this.#recorder.fault(link, fault, why),
    };
  }

  report(sources: StatusSources): StatusReport {
    const { agent, file, version, pid, clock } = this.#options;
    const remote = sources.remote();
    const { usedBytes, quotaBytes, enduranceHours } = sources.upkeep();
    const { synced, isProven, aheadMs } = sources.clock();
    const devices = new Map(sources.devices().map((device) => [device.bin, device]));
    return {
      agent,
      version,
      pid,
      at: clock.wallMs(),
      uptimeS: Math.round((clock.monotonicMs() - this.#startedAtMs) / 1_000),
      config: { version: inForce(remote), file, remote },
      links: sources.links().map((link) => linkStatus(link, { devices, intake: sources.intake })),
      outbox: {
        epoch: sources.outbox.epoch,
        backlog: sources.outbox.backlog,
        pending: sources.intake.pending,
        bytes: usedBytes,
        quotaBytes,
        enduranceH: enduranceHours,
      },
      clock: { state: synced ? 'synchronised' : 'unsynchronised', isProven, aheadMs },
      broker: sources.uplink(),
      stalled: this.#watchdog.stalled(),
      alarms: sources.alarms(),
    };
  }

  /** Writes what is still to be written; may be called twice. */
  stop(): void {
    this.#recorder.stop();
  }
}

const inForce = (remote: ReportedConfig | null): string | null =>
  remote === null || remote.inForce === 0 ? null : String(remote.inForce);

const partOf = (link: string): string => `poll ${link}`;

function longestPauseMs(link: LinkConfig): number {
  const bins = 'sensors' in link ? [...link.scales, ...link.sensors] : link.scales;
  return Math.min(...bins.map(({ pollMs }) => pollMs)) + link.timeoutMs + POLL_PATIENCE_MS;
}

function linkStatus(
  { slaves, name, protocol, address, isUp, fault, busyShare, pauseAfterConnect }: LinkSnapshot,
  {
    devices,
    intake,
  }: { readonly devices: ReadonlyMap<string, Device>; readonly intake: Pick<Intake, 'newest'> },
): LinkStatus {
  const bins = slaves.flatMap(({ bins: of, unit, latency, reads, errors, breaker, pause }) => {
    const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
    const slave = { unit, reads, errors: failed, errorKinds: { ...errors }, pause };
    return of.map((bin): SlaveStatus => {
      const device = devices.get(bin);
      return {
        bin,
        ...slave,
        isOk: device?.ok ?? null,
        fault: device?.fault ?? null,
        reading: intake.newest(bin),
        isOnlyProbed: breaker === 'open',
        latencyMs: latency?.p50Ms ?? null,
        slowestMs: latency?.slowestMs ?? null,
      };
    });
  });
  return { name, protocol, address, isUp, fault, busyShare, pauseAfterConnect, slaves: bins };
}
