import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure, messageOf } from '#shared/failure.ts';
import type { Reading } from '#shared/reading.ts';
import { decodeRecordingLine } from '#shared/recording.ts';
import type { Intake } from './intake.ts';

/** Readings in one commit: 5,000 make an fsync cheap and take a few ms. */
const GROUP = 5_000;

export interface BackfillResult {
  readonly lines: number;
  /** Lines at or before the newest reading of their bin, known from before. */
  readonly skipped: number;
}

/**
 * Runs a recording through reporting into the outbox. It may be killed at any point and run again:
 * the outbox knows the newest reading of every bin, from which reporting goes on as if nothing had
 * happened.
 * @throws Failure naming the line that is not one of a recording, or not of a bin of this agent
 */
export async function backfill(recording: string, intake: Intake): Promise<BackfillResult> {
  let lines = 0;
  let skipped = 0;
  const stream = createReadStream(recording, 'utf8');
  const failed = new Promise<never>((_, reject) => {
    stream.once('error', (error) => {
      const message = `cannot read the recording: ${messageOf(error)}`;
      reject(new Failure('recording-unreadable', message, { retry: 'never', cause: error }));
    });
  });
  const work = async (): Promise<void> => {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      lines += 1;
      if (line === '') continue;
      const reading = decoded(line, `${recording}:${lines}`);
      const unit = intake.unitOf(reading.bin);
      if (unit === undefined) {
        throw unusable(`${recording}:${lines}: bin ${reading.bin} is not in the configuration`);
      }
      if (reading.unit !== unit) {
        throw unusable(`${recording}:${lines}: unit ${reading.unit}; expected ${unit}`);
      }
      if (reading.at <= intake.newestAt(reading.bin)) skipped += 1;
      else intake.take(reading.bin, reading, { synced: reading.synced, segment: null });
      if (intake.pending >= GROUP) commit(intake);
    }
  };
  try {
    await Promise.race([failed, work()]);
  } finally {
    stream.destroy();
  }
  commit(intake);
  return { lines, skipped };
}

function decoded(line: string, place: string): Reading {
  try {
    return decodeRecordingLine(line);
  } catch (error) {
    throw unusable(`${place}: not a line of a recording`, error);
  }
}

const unusable = (message: string, cause?: unknown): Failure =>
  new Failure('recording-invalid', message, { retry: 'never', cause });

function commit(intake: Intake): void {
  if (intake.commit()) return;
  const message = 'the outbox cannot be written: check permissions and free disk';
  throw new Failure('outbox-unwritable', message, { retry: 'later' });
}
