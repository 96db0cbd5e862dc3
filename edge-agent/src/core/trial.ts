import type { BinId } from '#shared/ids.ts';

/** A link under a configuration that is being tried. */
export interface TrialLink {
  readonly name: string;
  /** Whether it is new, or other than before. */
  readonly isChanged: boolean;
  readonly timeoutMs: number;
  readonly bins: readonly { readonly bin: BinId; readonly pollMs: number }[];
}

/** What a link has to show: weights of all these bins, or of any one of them. */
interface Expectation {
  readonly link: string;
  readonly of: 'all' | 'any';
  readonly bins: readonly BinId[];
}

/** What a trial waits for: of links that are new or other than before, and then of the others. */
interface Expectations {
  readonly changed: readonly Expectation[];
  /** Whoever was read before goes on, also once the changed links are read. */
  readonly kept: readonly Expectation[];
  /** In this time all who are kept are read, if they can be. */
  readonly keptWithinMs: number;
}

/**
 * What a trial waits for. Nobody who was read before may be lost, wherever its bin is now; and a
 * link that was changed has to give one weight at least, so that a wrong address is found out. Not
 * waited for: a link that was silent before and is as it was; a bin that never gave a weight, as
 * long as another one of its link does, for it may not be connected yet; and, in a link that is as
 * it was, a bin that is polled too seldom to be read twice within the trial.
 * @param answered bins that gave a weight when they were last read
 */
export function expectationsOf(
  links: readonly TrialLink[],
  answered: ReadonlySet<string>,
  trialMs: number,
): Expectations {
  const changed: Expectation[] = [];
  const kept: Expectation[] = [];
  let keptWithinMs = 0;
  for (const { name: link, isChanged, timeoutMs, bins } of links) {
    const known = bins.filter(({ bin }) => answered.has(bin));
    if (isChanged) {
      const of = known.length > 0 ? 'all' : 'any';
      changed.push({ link, of, bins: idsOf(of === 'all' ? known : bins) });
      continue;
    }
    const withinMs = (pollMs: number): number => 2 * pollMs + timeoutMs;
    const due = known.filter(({ pollMs }) => withinMs(pollMs) <= trialMs);
    if (due.length > 0) kept.push({ link, of: 'all', bins: idsOf(due) });
    keptWithinMs = Math.max(keptWithinMs, ...due.map(({ pollMs }) => withinMs(pollMs)));
  }
  return { changed, kept, keptWithinMs };
}

const idsOf = (bins: TrialLink['bins']): BinId[] => bins.map(({ bin }) => bin);

/** @returns what is not fulfilled yet, each with the bins that gave no weight */
export function unfulfilled(
  expectations: readonly Expectation[],
  hasWeighed: (bin: BinId) => boolean,
): Expectation[] {
  return expectations
    .map((expectation) => ({
      ...expectation,
      bins: expectation.bins.filter((bin) => !hasWeighed(bin)),
      isDone: expectation.of === 'any' && expectation.bins.some(hasWeighed),
    }))
    .filter(({ bins, isDone }) => bins.length > 0 && !isDone)
    .map(({ link, of, bins }) => ({ link, of, bins }));
}

/** Bins named in a reason; more of them are counted. */
const NAMED = 5;

/** @returns in words what the trial lacked, for people */
export function reasonOf(
  missing: readonly Expectation[],
  faultOf: (bin: BinId) => string | undefined,
): string {
  return missing
    .map(({ link, of, bins }) => {
      const named = bins.slice(0, NAMED).map((bin) => {
        const fault = faultOf(bin);
        return fault === undefined ? bin : `${bin} (${fault})`;
      });
      const more = bins.length > NAMED ? ` and ${bins.length - NAMED} more` : '';
      return `link ${link}: no weight from ${of === 'any' && bins.length > 1 ? 'any of ' : ''}${named.join(', ')}${more}`;
    })
    .join('; ');
}
