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
/** Every line of the recording is a reading: as much as drains in the time of the kills. */
const HEARTBEAT_S = 60;
const DAYS = 28;
const TEST_MS = 480_000;

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

/** Whether what the recordings end with is there for every bin. */
async function hasDrained(api: Api, wanted: Map<string, number>): Promise<boolean> {
  const stock = await api.list<{ binId: string; readAt: number | null }>('/stock');
  return stock.every(({ binId, readAt }) => (readAt ?? 0) >= (wanted.get(binId) ?? 0));
}

async function drained(api: Api, wanted: Map<string, number>): Promise<void> {
  while (!(await hasDrained(api, wanted))) await delay(200);
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
      await delay(LIFE_MS.min + random() * (LIFE_MS.max - LIFE_MS.min));
      if (!(await hasDrained(killed.api, newest))) killsAtWork += 1;
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
