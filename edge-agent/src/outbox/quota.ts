import { z } from 'zod';

const MIB = 1_048_576;

/**
 * Section `outbox` of agent.yaml. 512 MiB hold 16 million readings of 32 bytes: 200 bins that report
 * every 7 s for a week, where heartbeats and picks make one a minute.
 */
export const outboxSchema = z
  .strictObject({
    maxMb: z.int().min(1).max(1_000_000).default(512),
    maxDays: z.int().min(1).max(3_650).default(90),
    minFreeMb: z.int().min(0).max(1_000_000).default(256),
    ramMb: z.int().min(1).max(1_000).default(8),
  })
  .prefault({});

export type OutboxConfig = z.output<typeof outboxSchema>;

export interface Quota {
  /** The file on disk does not grow beyond this. */
  readonly maxBytes: number;
  /** Readings older than this are dropped, if the clock is right. */
  readonly maxAgeMs: number;
  /** So much of the disk is left to others. */
  readonly minFreeBytes: number;
  /** What is kept in memory while the disk cannot be written. */
  readonly ramBytes: number;
}

export function quotaOf(config: OutboxConfig): Quota {
  return {
    maxBytes: config.maxMb * MIB,
    maxAgeMs: config.maxDays * 24 * 3_600_000,
    minFreeBytes: config.minFreeMb * MIB,
    ramBytes: config.ramMb * MIB,
  };
}
