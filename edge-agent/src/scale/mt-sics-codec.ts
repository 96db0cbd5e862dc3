import type { FaultQuality, ScaleRead } from '../core/scale-read.ts';
import { faultFrame, weightFrame, type Codec, type Frame } from './frame.ts';
import { lineCodec } from './line-codec.ts';

/** Send the weight at once, stable or not (MT-SICS reference manual, level 0). */
export const ASK_WEIGHT = 'SI\r\n';
/** Send the tare (level 1). */
export const ASK_TARE = 'TA\r\n';

/** A weight is right-aligned in ten characters, point and minus included; units follow a blank. */
const WEIGHT = /^S ([SD]) ([ \d.-]{10}) ([A-Za-z]{1,5}) *$/;
const TARE = /^TA A ([ \d.-]{10}) ([A-Za-z]{1,5}) *$/;
const VALUE = /^ *(-?)(\d+(?:\.\d+)?)$/;

/** In place of a weight: boot or memory errors (MT-SICS for weigh modules, 2.1.3.3). */
const DEVICE_ERROR = /^S [SD] *Error *(\S{1,6})$/;

/** Answers without a weight. */
const REFUSALS: Readonly<Record<string, Frame>> = {
  'S +': faultFrame('overload', 'overload'),
  'S -': faultFrame('underload', 'underload'),
  'S I': faultFrame('comm-error', 'the scale is busy'),
  'S L': faultFrame('config-error', 'the scale does not take the command SI as it is sent'),
};

/** Answers that do not say to which command. */
const ERRORS: Readonly<Record<string, readonly [FaultQuality, string]>> = {
  ES: ['config-error', 'the scale does not know the command'],
  EL: ['config-error', 'the scale cannot execute the command'],
  ET: ['comm-error', 'the scale received a broken command'],
};

export type Answer =
  | { readonly kind: 'weight'; readonly frame: Frame }
  | { readonly kind: 'tare'; readonly read: ScaleRead }
  | { readonly kind: 'error'; readonly quality: FaultQuality; readonly why: string };

/**
 * @param line one answer without its CR LF
 * @returns the answer to `SI` or `TA`, or `null` for anything else
 */
export function decodeAnswer(line: string): Answer | null {
  const error = Object.hasOwn(ERRORS, line) ? ERRORS[line] : undefined;
  if (error !== undefined) return { kind: 'error', quality: error[0], why: error[1] };
  const frame = decodeWeight(line);
  if (frame !== null) return { kind: 'weight', frame };
  const read = decodeTare(line);
  return read === null ? null : { kind: 'tare', read };
}

function decodeWeight(line: string): Frame | null {
  const refusal = Object.hasOwn(REFUSALS, line) ? REFUSALS[line] : undefined;
  if (refusal !== undefined) return refusal;
  const number = DEVICE_ERROR.exec(line)?.[1];
  if (number !== undefined) return faultFrame('comm-error', `the scale reports error ${number}`);
  const [, stability, value = '', unit = ''] = WEIGHT.exec(line) ?? [];
  return shown(value, { unit, stable: stability === 'S', length: line.length });
}

function decodeTare(line: string): ScaleRead | null {
  if (line === 'TA I') return { ok: false, quality: 'comm-error', why: 'the scale is busy' };
  if (line === 'TA L') {
    return { ok: false, quality: 'config-error', why: 'the scale cannot say its tare (TA L)' };
  }
  const [, value = '', unit = ''] = TARE.exec(line) ?? [];
  return shown(value, { unit, stable: true, length: line.length })?.read ?? null;
}

function shown(
  value: string,
  { unit, stable, length }: { unit: string; stable: boolean; length: number },
): Frame | null {
  const [, sign, digits = ''] = VALUE.exec(value) ?? [];
  return weightFrame({ negative: sign === '-', digits, unit, stable }, length);
}

/** Source: MT-SICS reference manual, levels 0 and 1; in 7 or 8 bits. */
export const mtSicsCodec = (): Codec<Answer> => lineCodec(decodeAnswer, { bits: 7 });
