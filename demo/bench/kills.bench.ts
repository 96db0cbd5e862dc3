import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Gap, Reading } from '#shared/reading.ts';
import { freePort } from '#shared/testing/ports.ts';
import { seededRandom } from '#shared/testing/random.ts';
import { SECOND_MS } from '#shared/units.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import { Outbox } from '../../edge-agent/src/outbox/outbox.ts';
import { Loop } from '../src/testing/loop.ts';
import { recordSite } from '../src/testing/recorded-site.ts';

/** Live scales are heard of at least this often, so that a hole in their time shows. */
const HEARTBEAT_S = 2;
/** A silence of more heartbeats than this has to stand in a gap record: the agent's own rule. */
const SILENT_HEARTBEATS = 1.5;
/** Whom a kill meets, of ten: mostly the agent, now and then its broker and cloud, or its scales. */
const VICTIMS = { agent: 7, cloud: 2, sim: 1 } as const;

/** Outboxes as the kills left them: every reading that was committed, by bin and time. */
class Witness {
  readonly #seen = new Map<string, string>();
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads a copy of a dead agent's outbox, and leaves the outbox itself as it is. */
  look(dataDir: string): void {
    const copy = mkdtempSync(join(this.#folder, 'outbox-'));
    cpSync(dataDir, copy, { recursive: true, filter: (file) => !file.endsWith('.sock') });
    const outbox = new Outbox(copy, { stamp: 'damaged' });
    if (outbox.setAside !== null) throw new Error(`a kill damaged the outbox of ${dataDir}`);
    outbox.seal(Number.MAX_SAFE_INTEGER, 1_000);
    const { receipted, sealed } = outbox.progress;
    for (let seq = receipted + 1; seq <= sealed; seq += 1) {
      for (const reading of outbox.batch(seq).readings) {
        this.#seen.set(keyOf(reading.bin, reading.at), contentOf(reading));
      }
    }
    outbox.close();
    rmSync(copy, { recursive: true });
  }

  /** How many committed readings there are, and how many of them the cloud does not have so. */
  missing(stored: ReadonlyMap<string, string>): { committed: number; lost: number } {
    const lost = [...this.#seen].filter(([key, content]) => stored.get(key) !== content);
    return { committed: this.#seen.size, lost: lost.length };
  }
}

const keyOf = (bin: string, at: number): string => `${bin} ${at}`;

function contentOf({ value, unit, samples, spread, quality }: Omit<Reading, 'bin'>): string {
  return JSON.stringify([value, unit, samples, spread, quality]);
}

interface Told {
  readonly stored: ReadonlyMap<string, string>;
  readonly twice: number;
  readonly unaccounted: number;
  readonly differing: number;
}

/** What the cloud has: its readings, the holes in them that no gap record explains, its ledger. */
async function ask(loop: Loop, from: number): Promise<Told> {
  const stored = new Map<string, string>();
  let twice = 0;
  let unaccounted = 0;
  let differing = 0;
  for (const { id } of await loop.api.list<{ id: string }>('/bins')) {
    const readings = await loop.api.list<Reading>(`/bins/${id}/readings`);
    const gaps = await loop.api.list<Gap>(`/bins/${id}/gaps`);
    for (const reading of readings) {
      const key = keyOf(id, reading.at);
      if (stored.has(key)) twice += 1;
      stored.set(key, contentOf(reading));
    }
    unaccounted += holes(readings, gaps, from);
    const { equal } = await loop.api.create<{ equal: boolean }>(`/bins/${id}/recompute`, {});
    if (!equal) differing += 1;
  }
  return { stored, twice, unaccounted, differing };
}

/** Stretches of live time that were neither measured nor stand in a gap record. */
function holes(readings: readonly Reading[], gaps: readonly Gap[], from: number): number {
  const silentMs = SILENT_HEARTBEATS * HEARTBEAT_S * SECOND_MS;
  const live = readings.filter(({ at, value }) => at >= from && value !== null);
  return live.slice(1).filter(({ at }, place) => {
    const before = live[place]?.at ?? at;
    return at - before > silentMs && !gaps.some((gap) => gap.from <= before && gap.to >= at);
  }).length;
}

function victimOf(share: number, agent: string): string {
  const tenth = share * 10;
  if (tenth < VICTIMS.agent) return agent;
  return tenth < VICTIMS.agent + VICTIMS.cloud ? 'cloud' : 'sim';
}

export const bench: Benchmark<
  'kills' | 'days' | 'seed',
  | 'kills_count'
  | 'committed_count'
  | 'stored_count'
  | 'lost_count'
  | 'twice_count'
  | 'unaccounted_count'
  | 'differing_count'
> = {
  name: 'kills',
  describe:
    'kill -9 of agent, cloud with its broker, and scales at random, under a backlog and live ' +
    'readings; then every committed reading is looked for at the cloud',
  options: {
    kills: { default: 200, small: 5, describe: 'kills' },
    days: { default: 56, small: 2, describe: 'days of backlog that drains meanwhile' },
    seed: { default: 1, small: 1, describe: 'chooses victims and moments' },
  },
  figures: {
    kills_count: 'kills made',
    committed_count: 'readings seen in the outboxes that the kills left',
    stored_count: 'readings that the cloud has in the end',
    lost_count: 'committed readings that the cloud does not have, or has otherwise',
    twice_count: 'readings that the cloud has twice',
    unaccounted_count: 'stretches without readings that no gap record explains',
    differing_count: 'bins whose ledger is not what their stored readings say',
  },
  async run({ kills, days, seed }) {
    const folder = mkdtempSync(join(tmpdir(), 'offtake-kills-'));
    const site = await recordSite(folder, days);
    const ports = { http: await freePort(), broker: await freePort() };
    const loop = new Loop({ folder: join(folder, 'loop'), ports, site, heartbeatS: HEARTBEAT_S });
    const [agent = ''] = loop.programs.slice(1);
    try {
      await loop.begin();
      const witness = new Witness(folder);
      witness.look(loop.dataDir(agent));
      await loop.run('sim');
      await loop.run(agent);
      const random = seededRandom(seed);
      for (let kill = 0; kill < kills; kill += 1) {
        await delay(random() * SECOND_MS);
        const victim = victimOf(random(), agent);
        await loop.kill(victim);
        if (victim === agent) witness.look(loop.dataDir(agent));
        await loop.run(victim);
      }
      await drained(loop);
      await loop.halt(agent);
      witness.look(loop.dataDir(agent));
      const { stored, twice, unaccounted, differing } = await ask(loop, site.until);
      const { committed, lost } = witness.missing(stored);
      return {
        kills_count: kills,
        committed_count: committed,
        stored_count: stored.size,
        lost_count: lost,
        twice_count: twice,
        unaccounted_count: unaccounted,
        differing_count: differing,
      };
    } finally {
      await loop.stop();
      rmSync(folder, { recursive: true });
    }
  },
};

/** Waits until every bin's newest reading is of the last heartbeats: nothing older is on its way. */
async function drained(loop: Loop): Promise<void> {
  const freshMs = 3 * HEARTBEAT_S * SECOND_MS;
  for (;;) {
    const stock = await loop.api.list<{ readAt: number | null }>('/stock');
    if (stock.every(({ readAt }) => (readAt ?? 0) > Date.now() - freshMs)) return;
    await delay(SECOND_MS / 4);
  }
}
