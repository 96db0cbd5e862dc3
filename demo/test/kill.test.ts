import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROLLUP_MS } from '#shared/units.ts';
import { decodeRecordingLine } from '#shared/recording.ts';
import { freePort } from '#shared/testing/ports.ts';
import { seededRandom } from '#shared/testing/random.ts';
import type { Api } from '../src/api.ts';
import { Loop } from '../src/testing/loop.ts';
import { recordSite, type RecordedSite } from '../src/testing/recorded-site.ts';

const KILLS = 20;
/** Long enough to get work done, short enough to fall into the middle of it. */
const LIFE_MS = { min: 20, max: 500 };
/** How often a life looks whether its share of the work is done, so that a quick machine ends it. */
const LOOK_MS = 5;
/** Every line of the recording is a reading. */
const HEARTBEAT_S = 60;
const DAYS = 28;
/** Ends only what hangs: under 20 other processes the whole takes five minutes. */
const TEST_MS = 1_200_000;

const folder = mkdtempSync(join(tmpdir(), 'offtake-kill-'));
const loops: Loop[] = [];
let site: RecordedSite;
/** The recorded time ends with a whole bucket; what live devices say later differs from run to run. */
let until: number;

/** One site, so that nothing moves while its agent or the cloud is down. */
async function record(): Promise<void> {
  site = await recordSite(folder, DAYS);
  until = Math.floor(site.until / ROLLUP_MS) * ROLLUP_MS;
}

async function newLoop(name: string): Promise<Loop> {
  const loop = new Loop({
    folder: join(folder, name),
    ports: { http: await freePort(), broker: await freePort() },
    site,
    heartbeatS: HEARTBEAT_S,
  });
  loops.push(loop);
  await loop.begin();
  return loop;
}

/** What the recordings hold: the newest reading of every bin, ms since 1970. */
async function recorded(): Promise<Map<string, number>> {
  const wanted = new Map<string, number>();
  for (const { agent } of site.scenario.sites) {
    const file = join(site.recordings, `${agent}.recording.jsonl`);
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const { bin, at } = decodeRecordingLine(line);
      wanted.set(bin, Math.max(wanted.get(bin) ?? 0, at));
    }
  }
  return wanted;
}

/** Which part of the recorded time is there for every bin, 0 … 1. */
async function drainedShare(api: Api, wanted: Map<string, number>): Promise<number> {
  const stock = await api.list<{ binId: string; readAt: number | null }>('/stock');
  const shares = stock.map(({ binId, readAt }) => {
    const span = (wanted.get(binId) ?? 0) - site.from;
    return span <= 0 ? 1 : ((readAt ?? site.from) - site.from) / span;
  });
  return Math.min(1, ...shares);
}

async function drained(api: Api, wanted: Map<string, number>): Promise<void> {
  while ((await drainedShare(api, wanted)) < 1) await delay(200);
}

/**
 * A life of so many ms, or until so much is drained: however fast the machine is, work is left for
 * the kills that follow.
 * @returns how much was drained when it was last looked at
 */
async function live(
  api: Api,
  wanted: Map<string, number>,
  end: { readonly afterMs: number; readonly share: number },
): Promise<number> {
  const until = performance.now() + end.afterMs;
  for (;;) {
    const share = await drainedShare(api, wanted);
    if (share >= end.share || performance.now() >= until) return share;
    await delay(LOOK_MS);
  }
}

interface Told {
  readonly readings: Record<string, unknown[]>;
  readonly movements: Record<string, unknown[]>;
  readonly consumption: unknown;
}

/** All that the cloud tells of the recorded time. */
async function telling(api: Api): Promise<Told> {
  const readings: Record<string, unknown[]> = {};
  const movements: Record<string, unknown[]> = {};
  const bins = await api.list<{ id: string }>('/bins');
  for (const { id } of bins) {
    const before = <T extends { at: number }>(rows: T[]): T[] =>
      rows.filter(({ at }) => at < until);
    readings[id] = before(await api.list<{ at: number }>(`/bins/${id}/readings`));
    movements[id] = before(await api.list<{ at: number }>(`/bins/${id}/movements`));
  }
  const query = `from=${site.from}&to=${until}&by=bin&step=day`;
  const consumption = await api.get<{ rows: unknown[] }>(`/consumption?${query}`);
  return { readings, movements, consumption: consumption.rows };
}

beforeAll(record, TEST_MS);

afterAll(async () => {
  await Promise.all(loops.map((loop) => loop.stop()));
  rmSync(folder, { recursive: true });
}, TEST_MS);

test(
  `${KILLS} kills of agent and cloud lose no reading, repeat none, and change no consumption`,
  { timeout: TEST_MS },
  async () => {
    const newest = await recorded();
    const calm = await newLoop('calm');
    for (const name of calm.programs.slice(1)) await calm.run(name);
    await drained(calm.api, newest);
    const wanted = await telling(calm.api);
    await calm.stop();

    const killed = await newLoop('killed');
    for (const name of killed.programs.slice(1)) await killed.run(name);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    let killsAtWork = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const afterMs = LIFE_MS.min + random() * (LIFE_MS.max - LIFE_MS.min);
      const share = (kill + random()) / KILLS;
      if ((await live(killed.api, newest, { afterMs, share })) < 1) killsAtWork += 1;
      const victim = killed.programs[Math.floor(random() * killed.programs.length)] ?? 'cloud';
      await killed.kill(victim);
      await killed.run(victim);
    }
    await drained(killed.api, newest);
    const told = await telling(killed.api);

    const count = Object.values(told.readings).reduce((sum, rows) => sum + rows.length, 0);
    console.log(`${KILLS} kills, ${killsAtWork} of them at work, ${count} readings, seed ${seed}`);
    expect(killsAtWork, `seed ${seed}`).toBeGreaterThan(KILLS / 2);
    expect(told, `seed ${seed}`).toEqual(wanted);
  },
);
