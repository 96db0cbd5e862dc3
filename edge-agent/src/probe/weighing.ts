import { Failure } from '#shared/failure.ts';
import type { RegisterProfile } from '#shared/profile.ts';
import { loadProfile } from '../scale/profile.ts';
import { interpretations, type Interpretation, type Observation } from './core/interpretation.ts';
import { firstBlocks, fittingCounts, profileWords, type Unit } from './registers.ts';

export interface ProfileFit {
  readonly profile: string;
  /** `null` where the profile knows its unit. */
  readonly countMg: number | null;
  /** Whether the display goes in steps of that mass; else the step is not known. */
  readonly isStep: boolean;
}

/** All that agrees with what lay on the scale. */
export interface Weighed {
  readonly fits: readonly ProfileFit[];
  readonly others: readonly Interpretation[];
  /** How many known masses all of this agrees with. */
  readonly weights: number;
}

export interface WeighOptions {
  /** What lies on the scale, mg; not 0. */
  readonly weightMg: number;
  /** Profiles to try: names of those that come along, or paths. */
  readonly profiles: readonly string[];
  /** Tells people how far it is. */
  readonly say: (line: string) => void;
  /** Asks for another known weight on the scale, mg; `null` where nobody is there to put it. */
  readonly nextWeight: (why: string) => Promise<number | null>;
}

/** One look at all that is read while a mass lies on the scale. */
interface Look extends Observation {
  readonly ofProfiles: ReadonlyMap<string, readonly number[]>;
}

/** Reads all registers under one known mass after the other, until one reading of them is left. */
export async function weigh(
  unit: Unit,
  { weightMg, profiles, nextWeight, say }: WeighOptions,
): Promise<Weighed> {
  const known = new Map(profiles.map((name) => [name, profileOf(name)]));
  const looks = [await look(unit, known, weightMg)];
  for (;;) {
    const fits = [...known].flatMap(([name, profile]) => fitsOf(name, profile, looks));
    const others = interpretations(looks);
    const isSure =
      looks.length > 1 && (fits.length === 1 || (fits.length === 0 && others.length <= 1));
    if (isSure || (fits.length === 0 && others.length === 0)) {
      return { fits, others, weights: looks.length };
    }
    say(`so far fit: ${fits.length} of the profiles, ${others.length} other readings`);
    const next = looks.length < MOST_WEIGHTS ? await nextWeight(whyAgain(looks)) : null;
    if (next === null) return { fits, others, weights: looks.length };
    looks.push(await look(unit, known, next));
  }
}

const MOST_WEIGHTS = 4;

const whyAgain = (looks: readonly Look[]): string =>
  looks.length === 1
    ? 'one weight may fit by chance'
    : 'several readings fit still; one below zero (lift the pan) tells where the sign is';

async function look(
  unit: Unit,
  profiles: ReadonlyMap<string, RegisterProfile>,
  weightMg: number,
): Promise<Look> {
  const ofProfiles = new Map<string, readonly number[]>();
  for (const [name, profile] of profiles) {
    const words = await profileWords(unit, profile);
    if (words !== null) ofProfiles.set(name, words);
  }
  return { weightMg, ofProfiles, blocks: await firstBlocks(unit) };
}

function fitsOf(name: string, profile: RegisterProfile, looks: readonly Look[]): ProfileFit[] {
  const counts = looks.map(({ ofProfiles, weightMg }) => {
    const words = ofProfiles.get(name);
    return words === undefined ? [] : fittingCounts(profile, words, weightMg);
  });
  const [first = [], ...rest] = counts;
  return first
    .filter((countMg) => rest.every((others) => others.includes(countMg)))
    .map((countMg) => ({ profile: name, countMg, isStep: profile.value.type !== 'float32' }));
}

/** @throws Failure that names the profile, for it stands in no file whose line could be told */
function profileOf(name: string): RegisterProfile {
  try {
    return loadProfile(name);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, retry, message } = error;
    throw new Failure(code, `no profile ${name}: expected ${message}`, { retry, cause: error });
  }
}
