import { systemClock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';
import type { AgentConfig } from './config.ts';
import { lockFolder } from './lock.ts';
import { Outbox } from './outbox/outbox.ts';

/** The agent's folder, locked, and the outbox in it. */
interface Store {
  readonly outbox: Outbox;
  readonly close: () => void;
}

/** @throws Failure where the folder is not usable */
export function openStore(config: AgentConfig, log: Log): Store {
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
    if (outbox.lostPages > 0) {
      const { lostPages } = outbox;
      log.error({ lostPages }, 'the journal is damaged: its last commits may be lost');
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
