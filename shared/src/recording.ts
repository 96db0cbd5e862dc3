import { z } from 'zod';
import { ID_PATTERN, type BinId } from './ids.ts';
import { QUALITIES, type Reading } from './reading.ts';
import { READING_UNITS } from './units.ts';

/**
 * A recording is what an indicator with a memory of its own logged while its gateway was away:
 * settled readings as lines of JSON, oldest first, `bin at value unit samples spread quality`:
 *
 *   ["acme-north-a1",1760000000000,812040,"mg",10,310,"good"]
 */
const lineSchema = z.tuple([
  z.string().regex(ID_PATTERN),
  z.int().min(1),
  z.int().nullable(),
  z.enum(READING_UNITS),
  z.int().min(0),
  z.int().min(0),
  z.enum(QUALITIES),
]);

export function encodeRecordingLine(reading: Omit<Reading, 'synced'>): string {
  const { bin, at, value, unit, samples, spread, quality } = reading;
  return JSON.stringify([bin, at, value, unit, samples, spread, quality]);
}

/** @throws SyntaxError or ZodError where the line is not one of a recording */
export function decodeRecordingLine(line: string): Reading {
  const [bin, at, value, unit, samples, spread, quality] = lineSchema.parse(JSON.parse(line));
  return { bin: bin as BinId, at, value, unit, samples, spread, quality, synced: true };
}
