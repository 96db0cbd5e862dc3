import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '#shared/failure.ts';
import type { BinId } from '#shared/ids.ts';
import { encodeRecordingLine } from '#shared/recording.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import type { Display, Indicator } from '../core/indicator.ts';
import { settledReading } from '../core/settled.ts';
import { fileFailure } from '../file-errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { TruthEvent } from '../truth/incidents.ts';
import { openState, writeState } from '../truth/state.ts';
import { TRUTH_FILE, openTruth } from '../truth/truth.ts';
import { createSimulation } from './simulation.ts';

/** A reading is the mean of the samples of its last ten seconds, one a second. */
const READING_MS = MINUTE_MS;
const SAMPLE_MS = SECOND_MS;
const SAMPLES = 10;
/** How much simulated time is written at once. */
const CHUNK_MS = 4 * HOUR_MS;

export interface HistoryReport {
  readonly from: number;
  readonly to: number;
  readonly readings: number;
  readonly files: readonly string[];
  /** See {@link Truth.replaced}. */
  readonly truthReplaced: string | null;
}

/**
 * Writes what the agents' indicators would have logged from the world's beginning to the state's
 * start, and the truth about it. Doing it again writes the same.
 */
export async function writeHistory(options: {
  readonly scenario: Scenario;
  readonly stateDir: string;
  readonly outDir: string;
  readonly now: number;
  readonly signal: AbortSignal;
  readonly progress: (share: number) => void;
}): Promise<HistoryReport> {
  const { scenario, stateDir, outDir, now, signal, progress } = options;
  const { historyDays } = scenario;
  const state = await openState({ dir: stateDir, scenario, now, historyDays, speed: 1 });
  const { historyFrom: from, startedAt: to } = state;
  if (from === to) {
    const message = `${stateDir}: begun by a run without history; use another --state folder`;
    throw new Failure('no-history', message, { retry: 'never' });
  }
  const truth = await openTruth(join(stateDir, TRUTH_FILE), now);
  const recordings = await openRecordings(scenario, outDir);
  const simulation = createSimulation(scenario, { from, liveFrom: to });
  const scales = recordings.flatMap((recording) =>
    recording.bins.map((bin) => startScale(recording, bin, simulation.indicator(bin))),
  );
  const byBin = new Map(scales.map((scale) => [scale.bin, scale]));
  let readings = 0;
  try {
    for (let at = from + READING_MS; at <= to; at += READING_MS) {
      for (let i = 0; i < SAMPLES; i += 1) {
        const events = simulation.advance(at - (SAMPLES - 1 - i) * SAMPLE_MS);
        truth.add(events);
        if (i > 0) markChanged(byBin, events);
        for (const scale of scales) sample(scale);
      }
      for (const scale of scales) if (logReading(scale, at)) readings += 1;
      if ((at - from) % CHUNK_MS === 0 || at === to) {
        signal.throwIfAborted();
        await truth.flush();
        for (const recording of recordings) await recording.flush();
        progress((at - from) / (to - from));
      }
    }
    await truth.close();
    for (const recording of recordings) await recording.finish();
  } finally {
    await truth.close();
    for (const recording of recordings) await recording.close();
  }
  await writeState(stateDir, { ...state, truthTo: Math.max(state.truthTo, to) });
  const files = recordings.map(({ file }) => file);
  return { from, to, readings, files, truthReplaced: truth.replaced };
}

interface LoggingScale {
  readonly bin: BinId;
  readonly indicator: Indicator;
  readonly recording: Recording;
  samples: Display[];
  changed: boolean;
}

function startScale(recording: Recording, bin: BinId, indicator: Indicator): LoggingScale {
  return { bin, indicator, recording, samples: [], changed: false };
}

function markChanged(byBin: ReadonlyMap<BinId, LoggingScale>, events: readonly TruthEvent[]): void {
  for (const event of events) {
    if (!('massMg' in event)) continue;
    const scale = byBin.get(event.bin);
    if (scale) scale.changed = true;
  }
}

function sample({ indicator, samples }: LoggingScale): void {
  if (indicator.isOn()) samples.push(indicator.display());
}

/** @returns false where there was no power to log anything */
function logReading(scale: LoggingScale, at: number): boolean {
  const isOn = scale.samples.length === SAMPLES;
  if (!isOn) {
    scale.samples = [];
    return false;
  }
  const reading = settledReading(scale.bin, at, scale.samples, scale.changed);
  scale.recording.lines.push(encodeRecordingLine(reading));
  scale.changed = false;
  scale.samples = [];
  return true;
}

interface Recording {
  readonly file: string;
  readonly bins: readonly BinId[];
  readonly lines: string[];
  flush(): Promise<void>;
  /** Only now the file gets its name: a part of a recording is never taken for a whole. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

async function openRecordings(scenario: Scenario, dir: string): Promise<readonly Recording[]> {
  try {
    await mkdir(dir, { recursive: true });
    const recordings: Recording[] = [];
    for (const site of scenario.sites) {
      const file = join(dir, `${site.agent}.recording.jsonl`);
      const bins = site.links.flatMap((link) => link.scales.map((scale) => scale.bin));
      recordings.push(recordingTo(file, await open(`${file}.tmp`, 'w'), bins));
    }
    return recordings;
  } catch (error) {
    throw fileFailure(dir, error);
  }
}

function recordingTo(file: string, handle: FileHandle, bins: readonly BinId[]): Recording {
  const lines: string[] = [];
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= handle.close());
  return {
    file,
    bins,
    lines,
    async flush() {
      const text = lines.map((line) => `${line}\n`).join('');
      lines.length = 0;
      await handle.appendFile(text).catch((error: unknown) => {
        throw fileFailure(file, error);
      });
    },
    async finish() {
      await handle.sync();
      await close();
      await rename(`${file}.tmp`, file);
    },
    close,
  };
}
