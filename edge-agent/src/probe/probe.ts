import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '#shared/failure.ts';
import type { RegisterProfile } from '#shared/profile.ts';
import { openLine, type LineAddress } from '../scale/line.ts';
import type { ModbusLine } from '../scale/modbus-line.ts';
import { loadProfile } from '../scale/profile.ts';
import { RtuLine } from '../scale/rtu-line.ts';
import { TcpLine } from '../scale/tcp-line.ts';
import { asciiGuess, type AsciiGuess } from './core/ascii-guess.ts';
import { interpretations, type Interpretation, type Observation } from './core/interpretation.ts';
import { answers, firstBlocks, fittingCounts, profileWords, type Unit } from './registers.ts';

export type SerialSettings = NonNullable<LineAddress['serial']>;

export interface ProbeOptions {
  /** `host:port`, or the path of a serial port. */
  readonly address: string;
  /** What lies on the scale, mg; not 0. */
  readonly weightMg: number;
  /** Unit ids in the order in which they are tried. */
  readonly units: readonly number[];
  /** Profiles to try: names of those that come along, or paths. */
  readonly profiles: readonly string[];
  readonly timeoutMs: number;
  /** How long a line is listened to before anything is asked, ms. */
  readonly listenMs: number;
  /** Tells people how far it is. */
  readonly say: (line: string) => void;
  /** Asks for another known weight on the scale, mg; `null` where nobody is there to put it. */
  readonly nextWeight: (why: string) => Promise<number | null>;
}

export type ModbusProtocol = 'modbus-tcp' | 'modbus-rtu-over-tcp' | 'modbus-rtu';

export interface FoundLine {
  readonly address: string;
  readonly serial: SerialSettings | null;
}

export interface ProfileFit {
  readonly profile: string;
  /** `null` where the profile knows its unit. */
  readonly countMg: number | null;
}

export type ProbeResult =
  | { readonly kind: 'nothing'; readonly tried: string }
  | ({ readonly kind: 'ascii'; readonly guess: AsciiGuess } & FoundLine)
  | ({
      readonly kind: 'modbus';
      readonly protocol: ModbusProtocol;
      readonly unit: number;
      readonly fits: readonly ProfileFit[];
      readonly others: readonly Interpretation[];
      /** How many known masses all of this agrees with. */
      readonly weights: number;
    } & FoundLine);

/** The usual ones first. */
const SERIAL: readonly SerialSettings[] = [
  9_600, 19_200, 38_400, 115_200, 57_600, 4_800, 2_400, 1_200,
]
  .flatMap((baud) => (['none', 'even', 'odd'] as const).map((parity) => ({ baud, parity })))
  .map((settings) => ({ ...settings, dataBits: 8, stopBits: 1 }));

const isSerial = (address: string): boolean => !/:\d+$/.test(address);

/**
 * Finds out how a scale speaks, with a known weight on it. It only listens and reads.
 * @throws Failure `link-down` where the line cannot be opened
 */
export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const { address } = options;
  if (!isSerial(address)) {
    const found =
      (await tryLine(options, { address, serial: null }, 'modbus-tcp')) ??
      (await tryLine(options, { address, serial: null }, 'modbus-rtu-over-tcp'));
    return found ?? { kind: 'nothing', tried: `${address} as Modbus TCP and RTU over TCP` };
  }
  for (const serial of SERIAL) {
    const found = await tryLine(options, { address, serial }, 'modbus-rtu');
    if (found !== null) return found;
  }
  return { kind: 'nothing', tried: `${address} at ${SERIAL.length} speeds and parities` };
}

async function tryLine(
  options: ProbeOptions,
  at: FoundLine,
  protocol: ModbusProtocol,
): Promise<ProbeResult | null> {
  const { say, timeoutMs, units, listenMs } = options;
  const { serial, address } = at;
  const how = serial === null ? protocol : `${serial.baud} Bd, parity ${serial.parity}`;
  const place = { address, timeoutMs, ...(serial !== null && { serial }) };
  const stream = await openLine({ ...place, timeoutMs: Math.max(2_000, timeoutMs) });
  try {
    say(`${how}: listening`);
    const heard: Uint8Array[] = [];
    const hear = (bytes: Uint8Array): void => void heard.push(bytes);
    stream.on('data', hear);
    await sleep(listenMs);
    stream.off('data', hear);
    const guess = asciiGuess(Buffer.concat(heard));
    if (guess !== null) return { kind: 'ascii', guess, ...at };
    const line = protocol === 'modbus-tcp' ? new TcpLine(stream) : new RtuLine(stream, place);
    const unit = await firstUnit({ line, timeoutMs }, units, (id) => say(`${how}: unit ${id}?`));
    if (unit === null) return null;
    say(`${how}: unit ${unit} answers`);
    return {
      kind: 'modbus',
      protocol,
      unit,
      ...at,
      ...(await weigh({ line, unit, timeoutMs }, options)),
    };
  } catch (error) {
    // A device that speaks otherwise hangs up on what it does not understand.
    if (error instanceof Failure && error.code === 'link-down' && stream.destroyed) return null;
    throw error;
  } finally {
    stream.destroy();
  }
}

async function firstUnit(
  { line, timeoutMs }: { line: ModbusLine; timeoutMs: number },
  units: readonly number[],
  onTry: (unit: number) => void,
): Promise<number | null> {
  for (const unit of units) {
    onTry(unit);
    if (await answers({ line, unit, timeoutMs })) return unit;
  }
  return null;
}

/** One look at all that is read while a mass lies on the scale. */
interface Look extends Observation {
  readonly ofProfiles: ReadonlyMap<string, readonly number[]>;
}

async function weigh(
  unit: Unit,
  { weightMg, profiles, nextWeight, say }: ProbeOptions,
): Promise<Pick<Extract<ProbeResult, { kind: 'modbus' }>, 'fits' | 'others' | 'weights'>> {
  const known = new Map(profiles.map((name) => [name, loadProfile(name)]));
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
    .map((countMg) => ({ profile: name, countMg }));
}
