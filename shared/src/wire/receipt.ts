import { z } from 'zod';
import { ID_PATTERN, type Epoch } from '../ids.ts';
import { MINUTE_MS } from '../units.ts';

/** What became of a batch's rows that were not taken. */
const rejectionSchema = z.object({
  seq: z.int().min(1),
  /** Row of the batch; missing where the batch, or too many of its rows, were refused as one. */
  index: z.int().min(0).optional(),
  reason: z.string(),
});
export type Rejection = z.infer<typeof rejectionSchema>;

export const receiptSchema = z.object({
  epoch: z
    .string()
    .regex(ID_PATTERN)
    .transform((text) => text as Epoch),
  /** Every batch ≤ upTo is stored and folded; 0 where none is. */
  upTo: z.int().min(0),
  /** How many batches the agent may have sent and not yet receipted. */
  window: z.int().min(1),
  rejected: z.array(rejectionSchema).default([]),
  /** The cloud's time, ms since 1970 UTC: what is further ahead of it is refused. */
  now: z.int().min(1).optional(),
});

/** A reading may be this much ahead of the cloud's clock before it is refused. */
export const MAX_AHEAD_MS = 10 * MINUTE_MS;

/** Cumulative: a later receipt of the same epoch covers all earlier ones. */
export type Receipt = z.infer<typeof receiptSchema>;
