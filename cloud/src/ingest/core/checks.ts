import type { SiteId } from '#shared/ids.ts';
import type { Gap, Reading } from '#shared/reading.ts';
import { MAX_AHEAD_MS } from '#shared/wire/receipt.ts';
import type { BinSetup } from '../../consumption/core/model.ts';

/** A bin as ingest needs it; `setups` oldest first. */
export interface KnownBin {
  readonly site: SiteId;
  readonly setups: readonly BinSetup[];
}

/** 1,000 t in mg: more than any scale shows, and safe to calculate with. */
export const MAX_VALUE = 1_000_000_000_000;

export interface Circumstances {
  /** The bin the record names, if there is one. */
  readonly bin: KnownBin | undefined;
  /** Site of the agent that sent the record. */
  readonly site: SiteId;
  readonly nowMs: number;
}

/**
 * Why a reading that could be decoded is not taken; `undefined` where it is.
 * @param previousAt time of the same bin's reading before it in the batch, 0 where it is the first
 */
export function readingFault(
  reading: Reading,
  { bin, site, nowMs }: Circumstances,
  previousAt: number,
): string | undefined {
  const { at, value, unit, spread } = reading;
  if (bin === undefined || bin.site !== site) return `bin: there is no ${reading.bin} at ${site}`;
  const [first] = bin.setups;
  if (first === undefined || at < first.from) return 'at: before the bin was set up';
  if (at > nowMs + MAX_AHEAD_MS) return `at: ${at - nowMs} ms ahead of the cloud's clock`;
  // Pieces of a product that has no mass for one: nobody knows how much that is.
  if (unit === 'count' && bin.setups.findLast((setup) => setup.from <= at)?.unit === 'mg') {
    return `unit: ${reading.bin} holds a bulk product, which a count says nothing of`;
  }
  if (at <= previousAt) return "at: not after the bin's reading before it in the batch";
  if (Math.abs(value ?? 0) > MAX_VALUE || spread > MAX_VALUE) return 'value: beyond any scale';
  return undefined;
}

/** Why a gap record is not taken; `undefined` where it is. */
export function gapFault(gap: Gap, { bin, site, nowMs }: Circumstances): string | undefined {
  if (bin === undefined || bin.site !== site) return `bin: there is no ${gap.bin} at ${site}`;
  if (gap.to < gap.from) return 'to: before from';
  if (gap.to > nowMs + MAX_AHEAD_MS) return `to: ${gap.to - nowMs} ms ahead of the cloud's clock`;
  return undefined;
}
