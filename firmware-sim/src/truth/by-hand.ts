import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { binId } from '#shared/ids.ts';
import { fileFailure, isMissing } from '../file-errors.ts';

/** Puts and takes of people at the panel: the only part of the world no seed can tell again. */
export const BY_HAND_FILE = 'by-hand.jsonl';

const lineSchema = z.object({
  at: z.int(),
  bin: z.string().transform(binId),
  deed: z.object({ kind: z.enum(['put', 'take']), quantity: z.int().min(1) }),
});
export type DeedByHand = z.output<typeof lineSchema>;

/** @returns what was done in earlier runs; a torn last line was never answered and is left out */
export function readByHand(file: string): DeedByHand[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return [];
    throw fileFailure(file, error);
  }
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => {
    try {
      return lineSchema.parse(JSON.parse(line));
    } catch (error) {
      throw fileFailure(file, error);
    }
  });
}

/** Written before it is done, so that a restart tells the same. @throws Failure `file` */
export function appendByHand(file: string, deed: DeedByHand): void {
  try {
    const handle = openSync(file, 'a');
    try {
      writeSync(handle, `${JSON.stringify(deed)}\n`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw fileFailure(file, error);
  }
}
