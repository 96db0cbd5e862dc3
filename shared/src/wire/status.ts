import { z } from 'zod';

/** State of one scale as its agent sees it. */
const deviceSchema = z.object({
  bin: z.string(),
  link: z.string(),
  ok: z.boolean(),
  /** Why it is not ok, for people. */
  fault: z.string().optional(),
});

/**
 * Retained on the `status` topic: birth and health say `online: true`, the will `online: false`.
 * A will whose session differs from the newest birth's belongs to an older connection: ignore it.
 */
export const statusSchema = z.object({
  online: z.boolean(),
  session: z.string().min(1),
  at: z.int().min(1),
  version: z.string().optional(),
  /** Readings in the outbox that were not yet receipted. */
  backlog: z.int().min(0).optional(),
  devices: z.array(deviceSchema).optional(),
  /** What is wrong with the agent itself, for people: one sentence each. */
  alarms: z.array(z.string()).optional(),
});
export type Status = z.infer<typeof statusSchema>;
