import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { AgentId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { DesiredConfig } from '#shared/wire/config.ts';
import type { Tables } from '../database/tables.ts';
import { newestVersion } from './versions.ts';

/**
 * So long after the last message that it held, a broker is believed to have told all. Were it too
 * short, a message that is there already would be sent again, which agents pass over.
 */
const SETTLE_MS = 200;
const RETRY_MS = 5 * SECOND_MS;
const TIMES = { settleMs: SETTLE_MS, retryMs: RETRY_MS };

/** Has a broker hold this for the agent; nothing where empty. Rejects where it may not have. */
type Hold = (agent: AgentId, payload: string) => Promise<void>;

/**
 * Keeps the broker holding, for every agent, the newest version that is wanted of it. What is
 * wanted stands in the database, so nothing is lost with this process.
 */
export class Delivery {
  readonly #db: Kysely<Tables>;
  readonly #log: Log;
  readonly #times: typeof TIMES;
  #hold: Hold | undefined;
  /** Digests of what the broker said it holds, by agent, until it was compared. */
  readonly #held = new Map<string, string>();
  #isTelling = false;
  readonly #waiting = new Set<AgentId>();
  #settling: NodeJS.Timeout | undefined;
  #retrying: NodeJS.Timeout | undefined;
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();

  constructor(db: Kysely<Tables>, log: Log, times = TIMES) {
    this.#db = db;
    this.#log = log;
    this.#times = times;
  }

  /** There is a new version for this agent. */
  changed(agent: AgentId): void {
    this.#waiting.add(agent);
    this.#start();
  }

  /** A broker was reached, maybe another than before: from here on it tells what it holds. */
  reached(hold: Hold): void {
    this.#hold = hold;
    this.#held.clear();
    this.#isTelling = true;
  }

  held(agent: string, payload: Uint8Array): void {
    if (!this.#isTelling) return;
    this.#held.set(agent, digestOf(payload));
    // Before the subscription is confirmed there may be more, however quiet it is.
    if (this.#settling !== undefined) this.subscribed();
  }

  /** What it holds is on its way, as far as it has not come yet. */
  subscribed(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#isTelling = false;
      void this.#compareAll();
    }, this.#times.settleMs);
  }

  lost(): void {
    this.#hold = undefined;
    this.#isTelling = false;
    clearTimeout(this.#settling);
    clearTimeout(this.#retrying);
    this.#settling = undefined;
  }

  /** Waits for what is under way; what was not delivered is so by the next process. */
  async close(): Promise<void> {
    this.lost();
    await this.#running;
  }

  async #compareAll(): Promise<void> {
    try {
      for (const agent of await this.#concerned()) this.#waiting.add(agent);
      this.#start();
    } catch (error) {
      this.#log.error({ err: error }, 'configurations not compared; trying again');
      if (this.#hold !== undefined)
        this.#retrying = setTimeout(() => void this.#compareAll(), this.#times.retryMs);
    }
  }

  /** Agents of ours that something is wanted of, or something is held for. */
  async #concerned(): Promise<AgentId[]> {
    const agents = await this.#db.selectFrom('agent').select('id').orderBy('id').execute();
    const wanted = await this.#db
      .selectFrom('agent_configuration')
      .select('agent_id')
      .distinct()
      .execute();
    const concerned = new Set<string>(wanted.map((row) => row.agent_id));
    for (const agent of this.#held.keys()) concerned.add(agent);
    return agents.map(({ id }) => id).filter((id) => concerned.has(id));
  }

  #start(): void {
    if (this.#hold !== undefined && !this.#isRunning) this.#running = this.#run();
  }

  /** One after the other, so that the newest version is the last to be sent. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      for (const agent of this.#waiting) {
        if (this.#hold === undefined) return;
        await this.#deliver(agent, this.#hold);
      }
    } catch (error) {
      // Whoever reaches a broker again compares everything.
      if (this.#hold === undefined) return;
      this.#log.error({ err: error }, 'configuration not sent; trying again');
      this.#retrying = setTimeout(() => this.#start(), this.#times.retryMs);
    } finally {
      this.#isRunning = false;
    }
  }

  async #deliver(agent: AgentId, hold: Hold): Promise<void> {
    // Before it is looked up: what changes meanwhile is delivered after it.
    this.#waiting.delete(agent);
    try {
      const newest = await newestVersion(this.#db, agent);
      const payload = newest === undefined ? '' : payloadOf(newest);
      const held = this.#held.get(agent);
      this.#held.delete(agent);
      if (held === (payload === '' ? undefined : digestOf(payload))) return;
      await hold(agent, payload);
      this.#log.info({ agent, version: newest?.version ?? null }, 'configuration sent');
    } catch (error) {
      this.#waiting.add(agent);
      throw error;
    }
  }
}

const payloadOf = ({ version, config }: DesiredConfig): string =>
  JSON.stringify({ version, config });

const digestOf = (payload: string | Uint8Array): string =>
  createHash('sha256').update(payload).digest('base64');
