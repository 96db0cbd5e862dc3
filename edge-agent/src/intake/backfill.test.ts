import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import { encodeRecordingLine } from '#shared/recording.ts';
import { backfill } from './backfill.ts';
import { Intake } from './intake.ts';
import { Outbox } from '../outbox/outbox.ts';
import { reading, T0 } from '../testing/entries.ts';
import { freshFolder } from '../testing/folder.ts';

const MINUTE = 60_000;

function openIntake(outbox: Outbox): Intake {
  return new Intake({
    outbox,
    log: createLog('agent', 'silent'),
    heartbeatMs: 10 * MINUTE,
    bins: new Map([
      [binId('a1'), { unit: 'mg', division: 100 }],
      [binId('b1'), { unit: 'mg', division: 100 }],
      [binId('count'), { unit: 'count', division: 0.5 }],
    ]),
    ramBytes: 8_388_608,
    onCommit: () => {},
  });
}

function contents(outbox: Outbox): { readings: Reading[]; gaps: Gap[] } {
  outbox.seal(100_000, 1_000);
  const readings: Reading[] = [];
  const gaps: Gap[] = [];
  for (let seq = 1; seq <= outbox.progress.sealed; seq += 1) {
    const batch = outbox.batch(seq);
    readings.push(...batch.readings);
    gaps.push(...batch.gaps);
  }
  return { readings, gaps };
}

/** Backfills in one go into a folder of its own. */
async function fill(folder: string, recording: string): Promise<ReturnType<typeof contents>> {
  const outbox = new Outbox(folder, { stamp: 'now' });
  try {
    await backfill(recording, openIntake(outbox));
    return contents(outbox);
  } finally {
    outbox.close();
  }
}

const lineOf = (minute: number, value: number, bin = 'a1'): string =>
  `${encodeRecordingLine({ ...reading(0, bin), at: T0 + minute * MINUTE, value })}\n`;

test('lines go through the same reporting as live samples', async () => {
  const folder = freshFolder();
  const recording = join(folder, 'recording.jsonl');
  const lines = [5_000, 5_010, 3_000, 3_000, 2_990].map((value, n) => lineOf(n, value));
  writeFileSync(recording, lines.join('') + lineOf(13, 3_000));
  const { readings, gaps } = await fill(folder, recording);
  expect(readings.map(({ at, value }) => [(at - T0) / MINUTE, value])).toEqual([
    [0, 5_000],
    [2, 3_000],
    [3, 3_000],
    [13, 2_995],
  ]);
  expect(gaps).toEqual([]);
});

test('a second run, and a recording that grew, add only what is new', async () => {
  const folder = freshFolder();
  const recording = join(folder, 'recording.jsonl');
  writeFileSync(recording, lineOf(0, 5_000) + lineOf(1, 3_000));
  await fill(folder, recording);
  expect((await fill(folder, recording)).readings).toHaveLength(2);
  appendFileSync(recording, lineOf(2, 1_000));
  expect((await fill(folder, recording)).readings).toHaveLength(3);
});

test.each([
  ['no JSON', '{oops\n', ':2: not a line of a recording'],
  ['a bin of another agent', lineOf(1, 1, 'z9'), ':2: bin z9 is not in the configuration'],
  ['a unit that no scale of ours has', lineOf(1, 1).replace('"mg"', '"count"'), ':2: unit count'],
])(
  '%s is a failure that names the line, and keeps what stands before it',
  async (_, line, said) => {
    const folder = freshFolder();
    const recording = join(folder, 'recording.jsonl');
    writeFileSync(recording, lineOf(0, 5_000) + line);
    await expect(fill(folder, recording)).rejects.toThrow(said);
  },
);

test('a recording that is not there is one clear failure', async () => {
  const folder = freshFolder();
  await expect(fill(folder, join(folder, 'none'))).rejects.toThrow('cannot read the recording');
});

test('stopped after any lines and run again, the outbox ends up the same', async () => {
  const step = fc.record({
    bin: fc.constantFrom('a1', 'b1'),
    minutes: fc.constantFrom(1, 1, 1, 1, 25),
    change: fc.constantFrom(0, 0, 0, 40, -2_000),
    isFault: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(), { maxLength: 3 }),
      async (steps, cuts) => {
        let minute = 0;
        const value = { a1: 900_000, b1: 900_000 };
        const lines = steps.map(({ bin, minutes, change, isFault }) => {
          minute += minutes;
          value[bin] += change;
          const at = T0 + minute * MINUTE;
          const taken = { ...reading(0, bin), at, value: value[bin] };
          const fault = { ...taken, value: null, samples: 0, spread: 0, quality: 'stale' as const };
          return `${encodeRecordingLine(isFault ? fault : taken)}\n`;
        });
        const [whole, pieces] = [freshFolder(), freshFolder()];
        const recording = join(whole, 'recording.jsonl');
        writeFileSync(recording, lines.join(''));
        const expected = await fill(whole, recording);
        const part = join(pieces, 'recording.jsonl');
        for (const cut of cuts) {
          writeFileSync(part, lines.slice(0, cut % (lines.length + 1)).join(''));
          await fill(pieces, part);
        }
        expect(await fill(pieces, recording)).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});

const countLine = (minute: number, value: number): string =>
  `${encodeRecordingLine({ ...reading(0, 'count'), at: T0 + minute * MINUTE, value, unit: 'count', spread: 0 })}\n`;

test('a bin that counts pieces is counted in pieces, and one piece is a change', async () => {
  const folder = freshFolder();
  const recording = join(folder, 'recording.jsonl');
  writeFileSync(recording, countLine(0, 40) + countLine(1, 40) + countLine(2, 39));
  const { readings } = await fill(folder, recording);
  expect(readings.map(({ value, unit }) => [value, unit])).toEqual([
    [40, 'count'],
    [39, 'count'],
  ]);
});
