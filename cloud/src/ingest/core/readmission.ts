import { z } from 'zod';
import { ID_PATTERN, type BinId, type SiteId } from '#shared/ids.ts';
import { QUALITIES, type Gap, type Reading } from '#shared/reading.ts';
import { READING_UNITS } from '#shared/units.ts';
import { decodeBatch, gapSchema } from '#shared/wire/batch.ts';
import { gapFault, readingFault, type KnownBin } from './checks.ts';

const count = z.int().min(0);
/** A row as the quarantine has it: one that could be read, and was refused for what it says. */
const rowSchema = z.object({
  bin: z
    .string()
    .regex(ID_PATTERN)
    .transform((text) => text as BinId),
  at: count,
  value: z.int().nullable(),
  unit: z.enum(READING_UNITS),
  samples: count,
  spread: count,
  quality: z.enum(QUALITIES),
  synced: z.boolean(),
});
const gapRowSchema = z.object({ gap: gapSchema });

/** What a quarantined payload holds, and what of it still cannot be taken. */
export interface Readmission {
  readonly readings: readonly Reading[];
  readonly gaps: readonly Gap[];
  /** Why, for each row that stays out; one for the whole where nothing of it can be read. */
  readonly faults: readonly string[];
}

export interface Today {
  readonly bins: ReadonlyMap<BinId, KnownBin>;
  /** Site of the agent that sent it; `undefined` where there is still no such agent. */
  readonly site: SiteId | undefined;
  readonly nowMs: number;
}

/** Judges a quarantined message or row anew, by the bins and agents that there are today. */
export function readmit(payload: Uint8Array, { bins, site, nowMs }: Today): Readmission {
  if (site === undefined) return { readings: [], gaps: [], faults: ['unknown agent'] };
  const held = contentOf(payload);
  const faults = [...held.faults];
  const readings = held.readings.filter((reading) => {
    const fault = readingFault(reading, { bin: bins.get(reading.bin), site, nowMs }, 0);
    if (fault !== undefined) faults.push(fault);
    return fault === undefined;
  });
  const gaps = held.gaps.filter((gap) => {
    const fault = gapFault(gap, { bin: bins.get(gap.bin), site, nowMs });
    if (fault !== undefined) faults.push(`gap: ${fault}`);
    return fault === undefined;
  });
  return { readings, gaps, faults };
}

/** The bins that a quarantined payload names. */
export function binsIn(payload: Uint8Array): BinId[] {
  const { readings, gaps } = contentOf(payload);
  return [...readings, ...gaps].map(({ bin }) => bin);
}

function contentOf(payload: Uint8Array): Readmission {
  const json = parse(payload);
  const row = rowSchema.safeParse(json);
  if (row.success) return { readings: [row.data], gaps: [], faults: [] };
  const gap = gapRowSchema.safeParse(json);
  if (gap.success) return { readings: [], gaps: [gap.data.gap], faults: [] };
  const decoded = decodeBatch(payload);
  if (!decoded.ok) return { readings: [], gaps: [], faults: [decoded.reason] };
  const { readings, gaps } = decoded.batch;
  return { readings, gaps, faults: decoded.rejected.map(({ reason }) => reason) };
}

/** @returns `undefined` where it is no JSON, as a compressed message */
function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
