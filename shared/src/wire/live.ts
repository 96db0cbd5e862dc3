import { z } from 'zod';
import { ID_PATTERN } from '../ids.ts';
import { QUALITIES } from '../reading.ts';
import { READING_UNITS } from '../units.ts';

/** Newest readings while a backlog drains, QoS 0: shown, never folded. */
export const liveSchema = z.object({
  readings: z.array(
    z.object({
      bin: z.string().regex(ID_PATTERN),
      at: z.int().min(1),
      value: z.int().nullable(),
      unit: z.enum(READING_UNITS),
      quality: z.enum(QUALITIES),
    }),
  ),
});
export type Live = z.infer<typeof liveSchema>;
