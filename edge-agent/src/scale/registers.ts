import {
  spanOf,
  widthOf,
  type MassUnit,
  type RegisterProfile,
  type RegisterType,
} from '#shared/profile.ts';
import type { FaultQuality, ScaleFault, ScaleRead } from '../core/scale-read.ts';

type Words = RegisterProfile['words'];
type FaultMeaning = 'overload' | 'underload' | 'not-zeroed' | 'error';

/** Mass of one unit, mg; the pound is the international one of 1959. */
const UNIT_MG: Readonly<Record<MassUnit, number>> = {
  mg: 1,
  g: 1_000,
  kg: 1_000_000,
  t: 1_000_000_000,
  lb: 453_592.37,
};

/** A weight without a known zero needs someone to come and zero the scale. */
const QUALITY_OF: Readonly<Record<FaultMeaning, FaultQuality>> = {
  overload: 'overload',
  underload: 'underload',
  'not-zeroed': 'config-error',
  error: 'comm-error',
};

const fault = (means: FaultMeaning, why: string): ScaleFault => ({
  ok: false,
  quality: QUALITY_OF[means],
  why,
});

/** Reads a number from its bytes, high byte first. */
const NUMBER_IN: Readonly<Record<RegisterType, (bytes: Buffer) => number>> = {
  int16: (bytes) => bytes.readInt16BE(),
  uint16: (bytes) => bytes.readUInt16BE(),
  int32: (bytes) => bytes.readInt32BE(),
  uint32: (bytes) => bytes.readUInt32BE(),
  float32: (bytes) => bytes.readFloatBE(),
};

/**
 * @param words registers of a request, unsigned 16 bit each
 * @param at which of them is the first of the value
 * @returns the number, which a float need not be; `null` where the registers are too few
 */
export function numberAt(
  words: readonly number[],
  at: number,
  { type, order, bytes }: Words & { readonly type: RegisterType },
): number | null {
  const width = widthOf(type);
  const image = Buffer.alloc(2 * width);
  for (let place = 0; place < width; place += 1) {
    const word = words[at + place];
    if (word === undefined) return null;
    const high = order === 'big' ? place : width - 1 - place;
    if (bytes === 'big') image.writeUInt16BE(word, 2 * high);
    else image.writeUInt16LE(word, 2 * high);
  }
  return NUMBER_IN[type](image);
}

/**
 * What the registers of one answer say.
 * @param words the profile's whole span (`spanOf`), unsigned 16 bit each: status and weight are of the
 * same instant
 * @param countMg mass of one unit of the value, mg, where the profile does not say it; else `null`
 */
export function decodeRegisters(
  profile: RegisterProfile,
  words: readonly number[],
  countMg: number | null,
): ScaleRead {
  const { first, count } = spanOf(profile);
  if (words.length !== count) {
    return fault('error', `answered with ${words.length} registers instead of ${count}`);
  }
  const numberOf = ({ address, type }: { address: number; type: RegisterType }): number =>
    numberAt(words, address - first, { ...profile.words, type }) ?? Number.NaN;
  const other = profile.expect.find((each) => numberOf({ ...each, type: 'uint16' }) !== each.value);
  if (other !== undefined) {
    const why = `register ${other.address} does not hold ${other.value}: not the registers of this profile`;
    return { ok: false, quality: 'config-error', why };
  }
  const wrong = errorOf(profile, numberOf);
  if (wrong !== null) return wrong;
  const status = profile.status === undefined ? 0 : numberOf(profile.status);
  const flags = profile.status?.bits ?? [];
  const isSet = (means: string): boolean =>
    flags.some((flag) => flag.means === means && holds(status, flag));
  if (profile.value.is === 'displayed' && isSet('net')) {
    const why = 'the indicator shows net; only gross can be reported: clear its tare';
    return { ok: false, quality: 'config-error', why };
  }
  const scale = scaleOf(profile, countMg, numberOf);
  if (typeof scale !== 'number') return scale;
  const value = numberOf(profile.value);
  const massMg = Math.round((isSet('negative') ? -value : value) * scale);
  if (!Number.isSafeInteger(massMg)) return fault('error', `a weight that is no number: ${value}`);
  const stable = isSet('stable') || !flags.some(({ means }) => means === 'stable');
  // Minus zero is not equal to zero in every comparison.
  return { ok: true, massMg: massMg + 0, stable };
}

type NumberOf = (place: { address: number; type: RegisterType }) => number;

const holds = (status: number, flag: { bit: number; inverted: boolean }): boolean =>
  ((status >>> flag.bit) & 1) === (flag.inverted ? 0 : 1);

/** The error code first, which says more than a bit; then the bits in their order. */
function errorOf(profile: RegisterProfile, numberOf: NumberOf): ScaleFault | null {
  const { errorCode, status } = profile;
  const code = errorCode === undefined ? 0 : codeIn(errorCode, numberOf);
  if (errorCode !== undefined && code !== 0) {
    const named = errorCode.codes[String(code)];
    return fault(named?.means ?? 'error', named?.why ?? `the indicator's error ${code}`);
  }
  if (status === undefined) return null;
  const word = numberOf(status);
  for (const flag of status.bits) {
    const { means, why } = flag;
    if (means === 'stable' || means === 'negative' || means === 'net') continue;
    if (holds(word, flag)) return fault(means, why ?? means);
  }
  return null;
}

interface Code {
  readonly address: number;
  readonly type: 'uint16' | 'uint32';
  readonly from: number;
  readonly bits?: number | undefined;
}

function codeIn({ address, type, from, bits }: Code, numberOf: NumberOf): number {
  const word = numberOf({ address, type });
  // 32 bits do not fit the signed shifts of numbers.
  return Math.floor(word / 2 ** from) % 2 ** (bits ?? 32);
}

const config = (why: string): ScaleFault => ({ ok: false, quality: 'config-error', why });

/** Mass of one count of the value, mg. */
function scaleOf(
  { decimals, unit }: RegisterProfile,
  countMg: number | null,
  numberOf: NumberOf,
): number | ScaleFault {
  const digits = typeof decimals === 'number' ? decimals : codeIn(decimals, numberOf);
  const places =
    typeof decimals === 'number' || decimals.codes === undefined
      ? digits
      : decimals.codes[String(digits)];
  if (places === undefined || places > 9) return config(`an unknown decimal point: code ${digits}`);
  if (unit === undefined) {
    if (countMg === null)
      return config('neither profile nor configuration says what a count weighs');
    return countMg / 10 ** places;
  }
  if (typeof unit === 'string') return UNIT_MG[unit] / 10 ** places;
  const code = codeIn(unit, numberOf);
  const named = unit.codes[String(code)];
  if (named === undefined) return config(`a unit that is not one of mass: code ${code}`);
  return UNIT_MG[named] / 10 ** places;
}
