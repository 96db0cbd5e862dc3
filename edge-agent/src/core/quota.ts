/** What stands on disk now; all in bytes. */
export interface Room {
  /** Bytes of the outbox that hold something. */
  readonly usedBytes: number;
  /** Bytes of its file that are free to be used again. */
  readonly freeBytes: number;
  /** Free on the disk. */
  readonly diskFreeBytes: number;
}

export interface Limits {
  readonly maxBytes: number;
  readonly minFreeBytes: number;
}

/**
 * When others fill the disk the outbox gives way, but not below this: two days of 200 bins that
 * report once a minute. A disk that is full for another reason must not cost the backlog.
 */
const LEAST_BYTES = 16 * 1_048_576;

/** How large the outbox may be: by its own quota, and by what the disk can spare. */
export function budgetBytes(room: Room, limits: Limits): number {
  const spare = room.diskFreeBytes - limits.minFreeBytes;
  const byDisk = Math.max(room.usedBytes + room.freeBytes + spare, LEAST_BYTES);
  return Math.min(limits.maxBytes, byDisk);
}

/**
 * How long an outage still fits at the present rate.
 * @param rate.bytesPerReading on disk
 * @returns hours until readings are dropped, thinning left aside; null where nothing comes in
 */
export function enduranceHours(
  room: Room,
  limits: Limits,
  rate: { readonly readingsPerHour: number; readonly bytesPerReading: number },
): number | null {
  const perHour = rate.readingsPerHour * rate.bytesPerReading;
  if (!(perHour > 0)) return null;
  return Math.max(0, budgetBytes(room, limits) - room.usedBytes) / perHour;
}
