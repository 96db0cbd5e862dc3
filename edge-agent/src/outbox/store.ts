import { systemClock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { binsOf, type AgentConfig } from '../configuration/config.ts';
import { lockFolder } from './lock.ts';
import { Outbox } from './outbox.ts';

/** The agent's folder, locked, and the outbox in it. */
export interface Store {
  readonly outbox: Outbox;
  /**
   * To be called every second or so.
   * @returns whether the outbox can be written from now on, and could not before
   * @throws Failure where there is nothing to wait for, as {@link openStore} does
   */
  readonly recover: () => boolean;
  readonly close: () => void;
}

/**
 * Opens the agent's folder. One that cannot be written now (the disk is full, read-only or not there)
 * is waited for: until then the outbox is as good as what can be read of it.
 * @param options.waits whether it is waited for, or a failure
 * @throws Failure `folder-in-use`, `folder-unusable` or `outbox-newer`
 */
export function openStore(
  { dataDir, links }: Pick<AgentConfig, 'dataDir' | 'links'>,
  log: Log,
  { waits }: { readonly waits: boolean },
): Store {
  const lock = lockOf(dataDir);
  try {
    const shut = lock.take();
    if (shut !== null && !waits) throw shut;
    const bins = links.flatMap(binsOf).map(({ bin }) => bin);
    const stamp = new Date(systemClock.wallMs()).toISOString().replaceAll(/[:.]/g, '-');
    const outbox = new Outbox(dataDir, { stamp, bins, waits, shut });
    const { fault, backlog } = outbox;
    if (fault === null) tellDamage(outbox, log);
    else log.error({ fault, backlog }, 'started without a disk to write to');
    const recover = (): boolean => {
      if (outbox.fault === null || lock.take() !== null || !outbox.reopen()) return false;
      log.info({ epoch: outbox.epoch, backlog: outbox.backlog }, 'the outbox can be written now');
      tellDamage(outbox, log);
      return true;
    };
    const close = (): void => {
      outbox.close();
      lock.release();
    };
    return { outbox, recover, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Lock {
  /** @returns why it cannot be had now; null where it is held */
  readonly take: () => Failure | null;
  readonly release: () => void;
}

function lockOf(folder: string): Lock {
  let held: (() => void) | null = null;
  const take = (): Failure | null => {
    try {
      held ??= lockFolder(folder);
      return null;
    } catch (error) {
      if (error instanceof Failure && error.code === 'folder-unwritable') return error;
      throw error;
    }
  };
  const release = (): void => held?.();
  return { take, release };
}

function tellDamage({ setAside, lostPages, epoch }: Outbox, log: Log): void {
  if (setAside !== null) {
    log.error({ ...setAside, epoch }, 'corrupt outbox set aside, started a new one');
  }
  if (lostPages > 0) {
    log.error({ lostPages }, 'the journal is damaged: its last commits may be lost');
  }
}
