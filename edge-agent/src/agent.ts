import { randomUUID } from 'node:crypto';
import { systemClock } from '#shared/clock.ts';
import { createLog, type Log } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { ReportedConfig } from '#shared/wire/config.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import { Poller } from './bus/poller.ts';
import { ClockKeeper } from './clock/keeper.ts';
import { realMachine } from './clock/machine.ts';
import { binsOf, type AgentConfig, type ConfigFile } from './configuration/config.ts';
import { RemoteConfig } from './configuration/remote.ts';
import { startingConfig } from './configuration/start.ts';
import type { Reconfigurable } from './configuration/trial.ts';
import { backfill } from './intake/backfill.ts';
import { Intake } from './intake/intake.ts';
import { Operation, type StatusSources } from './operation.ts';
import type { Outbox } from './outbox/outbox.ts';
import { quotaOf } from './outbox/quota.ts';
import { openStore, type Store } from './outbox/store.ts';
import { freeBytesOf, Upkeep } from './outbox/upkeep.ts';
import { StatusOffer } from './status/offer.ts';
import { Uplink } from './uplink/uplink.ts';
import { systemdNotify } from './watchdog/systemd.ts';

/** Readings wait no longer than this for a commit of their own. */
const COMMIT_MS = 200;

/** How often the clock and the outbox's quotas are looked at. */
const KEEP_MS = SECOND_MS;

/** How long a stopping agent tries to send what it holds; what stays is sent at the next start. */
const DRAIN_MS = 3 * SECOND_MS;

export interface Running {
  /** Stops reading, commits, sends what it can, closes. May be called twice. */
  stop(): Promise<void>;
  /** Settles when all is closed. */
  readonly stopped: Promise<void>;
}

/** What reporting takes from a configuration. */
const reportingOf = ({ links, report }: AgentConfig) => ({
  bins: new Map(links.flatMap(binsOf).map((bin) => [bin.bin, bin])),
  heartbeatMs: report.heartbeatS * SECOND_MS,
});

/** What the uplink takes from a configuration. */
const sendingOf = ({ broker, tls, uplink }: AgentConfig) => ({
  broker,
  tls,
  batchReadings: uplink.batchReadings,
  healthMs: uplink.healthS * SECOND_MS,
});

/** For the `status` topic: what keeps readings from the disk, if anything does. */
function diskAlarms({ fault }: Outbox, { disk }: Intake): string[] {
  const why = fault ?? disk.fault;
  if (why === null) return [];
  return [`readings wait in memory${disk.lost > 0 ? ', the oldest give way' : ''}: ${why}`];
}

function clockAlarms({ aheadOfCloudMs }: ClockKeeper): string[] {
  if (aheadOfCloudMs === null || aheadOfCloudMs <= MAX_AHEAD_MS) return [];
  return ['the clock is ahead of the cloud: readings wait until it is right'];
}

function openIntake(
  config: AgentConfig,
  outbox: Outbox,
  log: Log,
  onCommit: (readings: readonly Reading[]) => void,
): Intake {
  const { ramBytes } = quotaOf(config.outbox);
  return new Intake({ outbox, log, ...reportingOf(config), ramBytes, onCommit });
}

function openClock(
  config: AgentConfig,
  { outbox, intake, log }: { outbox: Outbox; intake: Intake; log: Log },
): ClockKeeper {
  return new ClockKeeper({
    machine: realMachine(config.clock, randomUUID()),
    log,
    newestAt: outbox.newestAt,
    stored: outbox.clocks,
    onSynced: (from, to) => intake.restamp(from, to),
    onTurnBack: (to, nowMs) => intake.turnBack(to, nowMs),
    onHold: (segment) => outbox.hold(segment),
  });
}

/** @throws Failure where the folder or the recording is not usable */
export async function fillBack(local: ConfigFile, recording: string): Promise<void> {
  const log = createLog('agent', local.config.log);
  const { outbox, close } = openStore(local.config, log, { waits: false });
  try {
    const { config } = startingConfig(local, { clock: systemClock, log });
    const before = outbox.backlog;
    const intake = openIntake(config, outbox, log, () => {});
    const { lines, skipped } = await backfill(recording, intake);
    const readings = outbox.backlog - before;
    log.info({ recording, lines, skipped, readings, backlog: outbox.backlog }, 'backfilled');
  } finally {
    close();
  }
}

export interface StartOptions {
  readonly version: string;
  readonly pid: number;
  /** `NOTIFY_SOCKET` of systemd. */
  readonly notifySocket: string | undefined;
  /** Called where nothing but a restart can help. */
  readonly onFatal: (error: unknown) => void;
}

/**
 * Wires the agent together and starts it.
 * @throws Failure where its folder is not usable
 */
export function startAgent(local: ConfigFile, options: StartOptions): Running {
  const log = createLog('agent', local.config.log);
  const store = openStore(local.config, log, { waits: true });
  const agent = wire(local, options, { log, store });
  const { config, outbox, uplink, poller, status, notify } = agent;
  const timers = startTimers(agent, options.onFatal);
  uplink.start();
  poller.start();
  status.renew();
  log.info({ agent: config.agent.id, epoch: outbox.epoch, backlog: outbox.backlog }, 'ready');
  notify('READY=1', `STATUS=reads ${config.links.length} links`);
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= shutDown(agent, timers).then(resolve));
  return { stopped, stop };
}

/** All parts of the agent; none of them runs yet. */
type Agent = ReturnType<typeof wire>;

function wire(
  local: ConfigFile,
  { version, pid, notifySocket, onFatal }: StartOptions,
  { log, store }: { readonly log: Log; readonly store: Store },
) {
  const { outbox } = store;
  const start = startingConfig(local, { clock: systemClock, log });
  const { config } = start;
  const { agent, dataDir } = config;
  log.level = config.log;
  const notify = systemdNotify(notifySocket, log);
  const operation = new Operation({
    agent: agent.id,
    dataDir,
    file: local.path,
    version,
    pid,
    clock: systemClock,
    log,
    notify,
    isPublishingIdle: () => uplink.isIdle,
  });
  const alarms = (): string[] => [...diskAlarms(outbox, intake), ...clockAlarms(keeper)];
  const uplink = new Uplink({
    ...sendingOf(config),
    agent,
    outbox,
    clock: systemClock,
    log,
    version,
    devices: () => poller.devices(),
    alarms,
    onFatal,
    onProgress: () => operation.published(),
    onCloudTime: (nowMs) => keeper.hear(nowMs),
    onConnected: () => remote.tell(),
    onConfig: (payload) => remote.receive(payload),
  });
  const intake = openIntake(config, outbox, log, (readings) => {
    upkeep.count(readings.length);
    uplink.wake(readings);
  });
  const keeper = openClock(config, { outbox, intake, log });
  const upkeep = new Upkeep({
    outbox,
    quota: quotaOf(config.outbox),
    log,
    diskFreeBytes: freeBytesOf(dataDir),
    monotonicMs: () => systemClock.monotonicMs(),
    trustedAt: () => (keeper.state().isProven ? systemClock.wallMs() : null),
  });
  const poller = new Poller({
    config,
    clock: systemClock,
    log,
    intake,
    stamp: () => keeper.stamp(),
    watch: operation.links,
  });
  const running = runningOf({ log, uplink, poller, intake });
  const publish = (report: ReportedConfig): void => uplink.publishReported(report);
  const remote = new RemoteConfig({ start, running, publish, clock: systemClock, log, onFatal });
  const sources: StatusSources = {
    links: () => poller.snapshot(),
    devices: () => poller.devices(),
    outbox,
    intake,
    upkeep: () => upkeep.state(),
    clock: () => keeper.state(),
    uplink: () => uplink.state(),
    alarms,
    remote: () => remote.report,
  };
  const status = new StatusOffer(dataDir, () => operation.report(sources), log);
  const parts = { intake, keeper, upkeep, poller, uplink, remote, operation, status };
  return { ...parts, config, log, store, outbox, notify };
}

/** What a configuration from afar changes, and is judged by. */
const runningOf = ({
  log,
  uplink,
  poller,
  intake,
}: {
  readonly log: Log;
  readonly uplink: Uplink;
  readonly poller: Poller;
  readonly intake: Intake;
}): Reconfigurable => ({
  follow: async (next) => {
    log.level = next.log;
    await uplink.reconfigure(sendingOf(next));
    await poller.release(next);
    intake.reconfigure(reportingOf(next));
    poller.follow(next);
  },
  devices: () => poller.devices(),
  weighedAt: (bin) => poller.weighedAt(bin),
  uplink: () => ({ reach: uplink.reach, fault: uplink.state().fault }),
});

interface Timers {
  /** Commits what waits; a fault of it that cannot pass is fatal, and not thrown. */
  readonly commit: () => void;
  readonly stop: () => void;
}

function startTimers(agent: Agent, onFatal: (error: unknown) => void): Timers {
  const { intake, uplink, operation, store, outbox, keeper, upkeep, status } = agent;
  const guarded = (work: () => void) => (): void => {
    try {
      work();
    } catch (error) {
      onFatal(error);
    }
  };
  // A disk that is full or read-only is no reason to restart: memory holds what it does not take.
  const commit = guarded(() => {
    if (!intake.commit()) uplink.show(intake.waiting);
    operation.committed();
  });
  const keep = guarded(() => {
    if (store.recover()) {
      intake.resume(keeper.goOnFrom(outbox.newestAt));
      status.renew();
    }
    keeper.tick();
    upkeep.tick();
  });
  const timers = [setInterval(commit, COMMIT_MS), setInterval(keep, KEEP_MS)];
  const stop = (): void => {
    for (const timer of timers) clearInterval(timer);
  };
  return { commit, stop };
}

/** Stops intake, drains with a deadline, closes. */
async function shutDown(agent: Agent, timers: Timers): Promise<void> {
  const { log, notify, remote, poller, operation, status, uplink, store, intake, outbox } = agent;
  log.info('stopping');
  notify('STOPPING=1');
  await remote.stop();
  await poller.stop();
  operation.stop();
  await status.stop();
  timers.stop();
  timers.commit();
  await uplink.stop(DRAIN_MS);
  store.close();
  if (intake.pending > 0) log.error({ readings: intake.pending }, 'stopped without a disk: lost');
  log.info({ backlog: outbox.backlog }, 'stopped');
}
