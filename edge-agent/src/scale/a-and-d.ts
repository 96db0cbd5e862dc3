import { faultFrame, NET_WHY, UNMARKED_WHY, weightFrame, type Codec, type Frame } from './frame.ts';
import { lineCodec } from './line-codec.ts';

export interface AAndDOptions {
  /** Whether a weight that says neither gross nor net is gross. */
  readonly tare: 'marked' | 'locked';
}

/**
 * `ST,+00012.34  g`: header, data of 8 to 11 characters (normally 9), unit of 3 (EK-i manual, 9-2); or
 * `ST,GS,+0012.34kg`: what is weighed, data of 8, unit of 2 or 3 (AD-4406 manual, 13.2). Scales with a
 * comparator put its result into the second header (GC manual, 16.2).
 */
const FRAME =
  /^(ST|US|QT|HD),(?:(GS|NT|TR|PT|G|N|T|HI|OK|LO|--),)?([+-])([\d.,]{7,10})([A-Za-z% ]{2,3})$/;

/** Out of range, the digits are nines or blanks, and the unit may be missing: never look at them. */
const OUT_OF_RANGE = /^(?:OL|LO),(?:[A-Z]{1,2},)?([+-]?)[\d., E+]{6,14}[A-Za-z% ]{0,3}$/;

const GROSS = new Set<string | undefined>(['GS', 'G']);
const NET = new Set<string | undefined>(['NT', 'N']);
const TARE = new Set<string | undefined>(['TR', 'T', 'PT']);

/** Answers to a command that was not carried out: AD-4406 manual, 13.3; FX-i manual, error codes. */
const REFUSALS: Readonly<Record<string, Frame>> = {
  I: faultFrame('comm-error', 'the scale is busy'),
  'EC,E02': faultFrame('comm-error', 'the scale is busy'),
  '?': faultFrame('config-error', 'the scale does not know the command; set another one'),
  'EC,E01': faultFrame('config-error', 'the scale does not know the command; set another one'),
};

function decode(line: string, { tare }: AAndDOptions): Frame | null {
  const refusal = Object.hasOwn(REFUSALS, line) ? REFUSALS[line] : undefined;
  if (refusal !== undefined) return refusal;
  if (/^EC,E\d\d$/.test(line)) return faultFrame('comm-error', `the scale reports error ${line}`);
  const out = OUT_OF_RANGE.exec(line);
  if (out !== null) {
    return out[1] === '-'
      ? faultFrame('underload', 'underload')
      : faultFrame('overload', 'overload');
  }
  const match = FRAME.exec(line);
  if (match === null) return null;
  const [, header, second, sign, digits = '', unitField = ''] = match;
  if (TARE.has(second)) return null;
  if (header === 'QT') return faultFrame('config-error', 'the scale counts pieces');
  if (header === 'HD') return faultFrame('stale', 'the display is held');
  const unit = unitField.trim();
  // Balances call a tola `t` (EJ manual, data format); only an indicator's is a tonne.
  const isTola = unit === 't' && !GROSS.has(second) && !NET.has(second);
  const frame = weightFrame(
    { negative: sign === '-', digits, unit: isTola ? 't (tola)' : unit, stable: header === 'ST' },
    line.length,
  );
  if (frame === null || !frame.read.ok) return frame;
  if (NET.has(second)) return faultFrame('config-error', NET_WHY);
  if (!GROSS.has(second) && tare === 'marked') return faultFrame('config-error', UNMARKED_WHY);
  return frame;
}

/** A&D's standard format of balances and of indicators, in 7 or 8 bits. */
export function aAndDCodec(options: AAndDOptions): Codec {
  return lineCodec((line) => decode(line, options), { bits: 7 });
}
