import type { Clock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import type { DesiredConfig, ReportedConfig } from '#shared/wire/config.ts';
import type { AgentConfig } from './config.ts';
import {
  judged,
  newestOf,
  proved,
  reportOf,
  tried,
  type ConfigVersions,
  type Verdict,
} from '../core/config-versions.ts';
import { judgeSections, parseDesired, type Parsed, type Refusal } from './desired.ts';
import type { StartingConfig } from './start.ts';
import { tryOut, type Reconfigurable } from './trial.ts';

export interface RemoteConfigOptions {
  readonly start: StartingConfig;
  readonly running: Reconfigurable;
  /** Tells the cloud, if it can be told now. */
  readonly publish: (report: ReportedConfig) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly onFatal: (error: unknown) => void;
}

/** Takes versions of the configuration from afar: judges, tries, and keeps or takes back. */
export class RemoteConfig {
  readonly #options: RemoteConfigOptions;
  readonly #stopping = new AbortController();
  #versions: ConfigVersions;
  #withdrawn: Verdict | null;
  /** In force and proved: what a failed trial goes back to. */
  #config: AgentConfig;
  /** The newest version that came while another one was tried. */
  #waiting: Parsed | null = null;
  #isWorking = false;
  #done: Promise<void> = Promise.resolve();

  constructor(options: RemoteConfigOptions) {
    this.#options = options;
    const { versions, withdrawn, config } = options.start;
    this.#versions = versions;
    this.#withdrawn = withdrawn;
    this.#config = config;
  }

  /** What there is to tell; null where no version was ever seen. */
  get report(): ReportedConfig | null {
    return reportOf(this.#versions, this.#withdrawn);
  }

  /** To be called with every connection. */
  tell(): void {
    const { report } = this;
    if (report !== null) this.#options.publish(report);
  }

  /** A message of the topic `config`. */
  receive(payload: Uint8Array): void {
    // The topic was cleared: nothing is wanted, nothing changes.
    if (payload.length === 0) return;
    const parsed = parseDesired(payload);
    const { version } = parsed;
    if (version === 0 && !parsed.ok) {
      // Of no version, so there is none to remember it of.
      this.#options.publish({ ...this.#verdictOn(parsed), inForce: this.report?.inForce ?? 0 });
      return;
    }
    if (version <= Math.max(newestOf(this.#versions), this.#waiting?.version ?? 0)) {
      this.tell();
      return;
    }
    this.#waiting = parsed;
    if (!this.#isWorking) this.#done = this.#work().catch(this.#options.onFatal);
  }

  /** Ends a trial that is under way; the next start rolls it back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting !== null && !this.#stopping.signal.aborted) {
      const parsed = this.#waiting;
      this.#waiting = null;
      await this.#take(parsed);
    }
    this.#isWorking = false;
  }

  async #take(parsed: Parsed): Promise<void> {
    const { start, running, clock, log } = this.#options;
    const { version } = parsed;
    if (!parsed.ok) {
      this.#refuse(parsed);
      return;
    }
    const judgement = judgeSections(parsed.config, start.local);
    if (!judgement.ok) {
      this.#refuse({ ...judgement, version });
      return;
    }
    if (!this.#begin(parsed)) return;
    const { config } = judgement;
    const { signal } = this.#stopping;
    const trial = { before: this.#config, running, clock, signal };
    const fault = (await tryOut(config, trial)) ?? this.#prove(config);
    if (fault === null || signal.aborted) return;
    await running.follow(this.#config);
    const at = this.#now();
    this.#keep(judged(this.#versions, { version, state: 'rolled-back', at, reason: fault }));
    log.warn({ version, fault }, 'configuration rolled back');
    this.tell();
  }

  /** @returns false where the disk does not keep it: without that, nothing is tried */
  #begin(desired: DesiredConfig): boolean {
    const { start, publish, log } = this.#options;
    const { version } = desired;
    const versions = tried(this.#versions, desired, this.#now());
    try {
      start.file.write(versions);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.error({ err: error, version }, 'configuration not tried');
      const reason = `${error.message}; it is tried again with the next connection`;
      const inForce = this.report?.inForce ?? 0;
      publish({ version, state: 'refused', inForce, at: this.#now(), reason });
      return false;
    }
    this.#versions = versions;
    log.info({ version }, 'configuration on trial');
    this.tell();
    return true;
  }

  /** @returns why it cannot be kept; null where it is */
  #prove(config: AgentConfig): string | null {
    if (this.#stopping.signal.aborted) return null;
    const { start, log } = this.#options;
    const versions = proved(this.#versions, this.#now());
    try {
      start.file.write(versions);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return error.message;
    }
    this.#versions = versions;
    this.#withdrawn = null;
    this.#config = config;
    log.info({ version: versions.applied?.version }, 'configuration applied');
    this.tell();
    return null;
  }

  #refuse(refusal: Refusal & { readonly version: number }): void {
    this.#keep(judged(this.#versions, this.#verdictOn(refusal)));
    this.tell();
  }

  #verdictOn({ version, reason, problems }: Refusal & { readonly version: number }): Verdict {
    this.#options.log.warn({ version, reason, problems }, 'configuration refused');
    const verdict: Verdict = { version, state: 'refused', at: this.#now(), reason };
    return problems === undefined ? verdict : { ...verdict, problems };
  }

  /** What could not be kept comes to the same at the next start. */
  #keep(versions: ConfigVersions): void {
    const { start, log } = this.#options;
    this.#versions = versions;
    try {
      start.file.write(versions);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.error({ err: error }, 'what became of the configuration is not kept');
    }
  }

  #now(): number {
    return Math.max(1, this.#options.clock.wallMs());
  }
}
