import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { decodeRecordingLine } from '#shared/recording.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import type { WorldEvent } from '../core/model.ts';
import { startSimulator } from '../run.ts';
import { smallScenario } from '../testing/small-scenario.ts';
import { writeHistory } from './history.ts';

const NOW = Date.UTC(2026, 2, 4, 10, 0, 30);
const scenario = smallScenario();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'history-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function write(
  options: { now?: number; signal?: AbortSignal; progress?: (share: number) => void } = {},
) {
  const { now = NOW, signal = new AbortController().signal, progress = () => {} } = options;
  return writeHistory({ scenario, stateDir: dir, outDir: join(dir, 'out'), now, signal, progress });
}

const lines = (file: string): string[] =>
  readFileSync(join(dir, file), 'utf8').trimEnd().split('\n');
const recording = (): Reading[] => lines('out/workshop.recording.jsonl').map(decodeRecordingLine);
const truth = (): WorldEvent[] =>
  lines('truth.jsonl').map((line) => JSON.parse(line) as WorldEvent);

test('there is one reading per bin and minute, in order, from beginning to start', async () => {
  const shares: number[] = [];
  const report = await write({ progress: (share) => shares.push(share) });
  expect(report.to - report.from).toBe(2 * DAY_MS);
  expect(report.readings).toBe(3 * 2 * 24 * 60);
  const times = recording()
    .filter((reading) => reading.bin === 'workshop-sand')
    .map((reading) => reading.at);
  expect(times[0]).toBe(report.from + MINUTE_MS);
  expect(times.at(-1)).toBe(report.to);
  expect(times.every((at, i) => at - MINUTE_MS === (times[i - 1] ?? report.from))).toBe(true);
  expect(shares.at(-1)).toBe(1);
});

test('good readings weigh what the truth says lies there', async () => {
  await write();
  const tareMg = 620_000;
  const massAt = [{ at: 0, massMg: 500 * 21_000 }];
  for (const event of truth().filter(({ bin }) => bin === 'workshop-clamps')) {
    massAt.push({ at: event.at, massMg: (massAt.at(-1)?.massMg ?? 0) + event.massMg });
  }
  const good = recording().filter((r) => r.bin === 'workshop-clamps' && r.quality === 'good');
  expect(good.length).toBeGreaterThan(2000);
  for (const { at, value, spread } of good) {
    const massMg = massAt.findLast((step) => step.at <= at)?.massMg ?? 0;
    // Initial pieces scatter by 150 mg √500, two days' drift by 200 mg √48, the mean by 2 g / √10.
    expect(Math.abs((value ?? 0) - tareMg - massMg)).toBeLessThan(5 * (3400 + 1400 + 640));
    expect(spread).toBeLessThan(2.5 * 2000);
  }
});

test('a reading is unstable exactly when something moved while it was taken', async () => {
  await write();
  const events = truth();
  for (const bin of ['workshop-washers', 'workshop-clamps', 'workshop-sand']) {
    const unstable = new Set<number>();
    for (const event of events.filter((candidate) => candidate.bin === bin)) {
      const minute = Math.ceil(event.at / MINUTE_MS) * MINUTE_MS;
      if (minute - event.at < 9 * SECOND_MS) unstable.add(minute);
    }
    const readings = recording().filter((reading) => reading.bin === bin);
    const told = new Set(readings.filter((r) => r.quality === 'unstable').map((r) => r.at));
    expect(unstable.size).toBeGreaterThan(0);
    // Swings from before the window last into some more.
    expect(unstable.isSubsetOf(told)).toBe(true);
    expect(told.size).toBeLessThan(readings.length / 2);
  }
});

test('doing it again writes the same, and truth does not repeat itself', async () => {
  const report = await write();
  const before = report.files.map((file) => readFileSync(file, 'utf8'));
  const told = truth();
  await write({ now: NOW + DAY_MS });
  expect(report.files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
  expect(truth()).toEqual(told);
});

test('when stopped it leaves no recording, and can be begun again', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const stopped = write({
    signal,
    progress: (share) => {
      if (share > 0.3) controller.abort(new Error('stopped by the test'));
    },
  });
  await expect(stopped).rejects.toThrow('stopped by the test');
  expect(readdirSync(join(dir, 'out'))).toEqual(['workshop.recording.jsonl.tmp']);
  await write();
  const told = truth();
  expect(new Set(told.map((event) => `${event.at} ${event.bin}`)).size).toBe(told.length);
  expect(readdirSync(join(dir, 'out'))).toEqual(['workshop.recording.jsonl']);
});

test('the running simulator goes on where history ended', async () => {
  await write();
  const past = truth();
  const later = NOW + 5 * MINUTE_MS * 60;
  const simulator = await startSimulator({
    scenario,
    stateDir: dir,
    ptyDir: null,
    clock: { wallMs: () => later, monotonicMs: () => 0 },
    log: createLog('sim', 'silent'),
  });
  await simulator.close();
  const all = truth();
  expect(all.slice(0, past.length)).toEqual(past);
  expect(all.length).toBeGreaterThan(past.length);
  expect(all.every((event) => event.at <= later)).toBe(true);
  const state = JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8')) as { truthTo: number };
  expect(state.truthTo).toBe(later);
});
