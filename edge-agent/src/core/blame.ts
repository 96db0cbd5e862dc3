/** How a read ended: `again` where the slave itself wants to be asked once more. */
export type Outcome = 'answered' | 'again' | 'silent' | 'line-down';

/** What was seen on a line since it was opened, or since it last gave an answer. */
export interface Silence {
  /** Reads in a row that nobody answered. */
  readonly reads: number;
  /** Those of them that were of slaves which had answered until then. */
  readonly fallen: number;
}

export const NO_SILENCE: Silence = { reads: 0, fallen: 0 };

/**
 * So many slaves in a row that had answered before and are silent now, or everybody silent, is the
 * line's fault: a converter that hangs, half a TCP connection. A new line mends both.
 */
const SILENT_LINE = 3;

/**
 * Who is to blame for how a read ended. Nobody is where it was answered, and where it is tried once
 * more: at the slave's wish, or after a pause that was only tried.
 * @param read.isTrial whether a pause was tried that may be too short
 * @param read.hadAnswered whether the slave had answered until then, and not by chance
 * @param read.areOthersSilent whether no other slave of the line answers either
 * @returns also the silence after the read
 */
export function blame(
  before: Silence,
  read: {
    readonly outcome: Outcome;
    readonly isTrial: boolean;
    readonly hadAnswered: boolean;
    readonly areOthersSilent: boolean;
  },
): { readonly silence: Silence; readonly on: 'nobody' | 'slave' | 'line' } {
  const { outcome, isTrial, hadAnswered, areOthersSilent } = read;
  if (outcome === 'line-down') return { silence: before, on: 'line' };
  if (outcome !== 'silent') return { silence: NO_SILENCE, on: 'nobody' };
  if (isTrial) return { silence: before, on: 'nobody' };
  const silence = { reads: before.reads + 1, fallen: before.fallen + (hadAnswered ? 1 : 0) };
  const { reads, fallen } = silence;
  const isLine = fallen >= SILENT_LINE || (reads >= SILENT_LINE && areOthersSilent);
  return { silence, on: isLine ? 'line' : 'slave' };
}
