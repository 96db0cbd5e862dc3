import { randomUUID } from 'node:crypto';
import { systemClock } from '#shared/clock.ts';
import type { BinId } from '#shared/ids.ts';
import { createLog, type Log } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { SECOND_MS } from '#shared/units.ts';
import { backfill } from './backfill.ts';
import { ClockKeeper } from './clock/keeper.ts';
import { realMachine } from './clock/machine.ts';
import type { AgentConfig } from './config.ts';
import { Intake } from './intake.ts';
import { lockFolder } from './lock.ts';
import { Outbox } from './outbox/outbox.ts';
import { quotaOf } from './outbox/quota.ts';
import { freeBytesOf, Upkeep } from './outbox/upkeep.ts';
import { Poller } from './poller.ts';
import { Uplink } from './uplink.ts';

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

interface Store {
  readonly outbox: Outbox;
  readonly close: () => void;
}

/** The folder's lock and its outbox. */
function openStore(config: AgentConfig, log: Log): Store {
  const release = lockFolder(config.dataDir);
  try {
    const stamp = new Date(systemClock.wallMs()).toISOString().replaceAll(/[:.]/g, '-');
    const outbox = new Outbox(config.dataDir, { stamp });
    if (outbox.setAside !== null) {
      const { file, why, salvaged } = outbox.setAside;
      log.error(
        { file, why, salvaged, epoch: outbox.epoch },
        'corrupt outbox set aside, started a new one',
      );
    }
    const close = (): void => {
      outbox.close();
      release();
    };
    return { outbox, close };
  } catch (error) {
    release();
    throw error;
  }
}

function openIntake(
  config: AgentConfig,
  outbox: Outbox,
  log: Log,
  onCommit: (readings: readonly Reading[]) => void,
): Intake {
  const divisionsMg = new Map<BinId, number>(
    config.links.flatMap(({ scales }) => scales.map(({ bin, divisionMg }) => [bin, divisionMg])),
  );
  const heartbeatMs = config.report.heartbeatS * SECOND_MS;
  const { ramBytes } = quotaOf(config.outbox);
  return new Intake({ outbox, log, heartbeatMs, divisionsMg, ramBytes, onCommit });
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
    onSynced: (from, to) => intake.restamp(() => outbox.shift(from, to)),
    onHold: (segment) => outbox.hold(segment),
  });
}

/** @throws Failure where the folder or the recording is not usable */
export async function fillBack(config: AgentConfig, recording: string): Promise<void> {
  const log = createLog('agent', config.log);
  const { outbox, close } = openStore(config, log);
  try {
    const before = outbox.backlog;
    const intake = openIntake(config, outbox, log, () => {});
    const { lines, skipped } = await backfill(recording, intake);
    const readings = outbox.backlog - before;
    log.info({ recording, lines, skipped, readings, backlog: outbox.backlog }, 'backfilled');
  } finally {
    close();
  }
}

/**
 * Wires the agent together and starts it.
 * @param options.onFatal called where nothing but a restart can help
 * @throws Failure where its folder is not usable
 */
export function startAgent(
  config: AgentConfig,
  options: { readonly version: string; readonly onFatal: (error: unknown) => void },
): Running {
  const log = createLog('agent', config.log);
  const { outbox, close } = openStore(config, log);
  const { agent, broker, tls, uplink: sending } = config;
  const { version, onFatal } = options;
  const uplink = new Uplink({
    broker,
    tls,
    agent,
    outbox,
    clock: systemClock,
    log,
    version,
    batchReadings: sending.batchReadings,
    healthMs: sending.healthS * SECOND_MS,
    devices: () => poller.devices(),
    onFatal,
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
    diskFreeBytes: freeBytesOf(config.dataDir),
    monotonicMs: () => systemClock.monotonicMs(),
    trustedAt: () => (keeper.state().isProven ? systemClock.wallMs() : null),
  });
  const poller = new Poller({
    config,
    clock: systemClock,
    log,
    intake,
    stamp: () => keeper.stamp(),
  });
  const guarded = (work: () => void) => (): void => {
    try {
      work();
    } catch (error) {
      onFatal(error);
    }
  };
  const commit = guarded(() => void intake.commit());
  const committing = setInterval(commit, COMMIT_MS);
  const keep = guarded(() => {
    keeper.tick();
    upkeep.tick();
  });
  const keeping = setInterval(keep, KEEP_MS);
  uplink.start();
  poller.start();
  log.info({ agent: agent.id, epoch: outbox.epoch, backlog: outbox.backlog }, 'ready');

  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | null = null;
  const shutDown = async (): Promise<void> => {
    log.info('stopping');
    await poller.stop();
    clearInterval(committing);
    clearInterval(keeping);
    commit();
    await uplink.stop(DRAIN_MS);
    close();
    if (intake.pending > 0) log.error({ readings: intake.pending }, 'stopped without a disk: lost');
    log.info({ backlog: outbox.backlog }, 'stopped');
    resolve();
  };
  return { stopped, stop: () => (stopping ??= shutDown()) };
}
