import { messageOf } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import type { StatusReport } from './report.ts';
import { serveStatus } from './socket.ts';

/** Offers the agent's status, again where it could not be offered before. */
export class StatusOffer {
  readonly #folder: string;
  readonly #report: () => StatusReport;
  readonly #log: Log;
  /** Settles to what ends the offer; null where there is none. */
  #offered: Promise<(() => void) | null> = Promise.resolve(null);

  constructor(folder: string, report: () => StatusReport, log: Log) {
    this.#folder = folder;
    this.#report = report;
    this.#log = log;
  }

  /** An agent that cannot be asked still measures. */
  renew(): void {
    this.#offered = this.#offered.then(async (offered) => {
      if (offered !== null) return offered;
      try {
        return await serveStatus(this.#folder, this.#report);
      } catch (error) {
        this.#log.warn({ fault: messageOf(error) }, 'nobody can ask for the status');
        return null;
      }
    });
  }

  async stop(): Promise<void> {
    (await this.#offered)?.();
    this.#offered = Promise.resolve(null);
  }
}
