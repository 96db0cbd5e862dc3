import { faultFrame, NET_WHY, UNMARKED_WHY, weightFrame, type Codec, type Frame } from './frame.ts';
import { lineCodec } from './line-codec.ts';

export interface OhausOptions {
  /** Whether a weight without legend is gross. */
  readonly tare: 'marked' | 'locked';
}

/**
 * Polarity, blank, weight of 7, blank, unit of up to 5, `?` for motion, legend of up to 3. Models
 * differ in how they fill it up with blanks (some balances have a weight of 11), but each sends one
 * length; a line that begins amid its digits is too short.
 */
const FRAME =
  /^(?=.{8,12} +[A-Za-z%])(?: +(-?)|(-) *)(\d+\.?\d*) +([A-Za-z%]{1,5}) *(\??) *(G|B\/G|NET|N|PT|T|TARE)? *$/;
const LONGEST = 32;

/** Error numbers of Defender and Ranger, chapter error codes of their manuals. */
const ERRORS: Readonly<Record<string, Frame>> = {
  '8.1': faultFrame('config-error', 'the scale could not be zeroed at power-up: it was loaded'),
  '8.2': faultFrame('config-error', 'the scale could not be zeroed at power-up: a part is missing'),
  '8.3': faultFrame('overload', 'overload'),
  '8.4': faultFrame('underload', 'underload'),
};

function decode(line: string, { tare }: OhausOptions): Frame | null {
  const error = /^ *Err(?:or)? *(\d+(?:\.\d+)?) *$/.exec(line)?.[1];
  if (error !== undefined) {
    const known = Object.hasOwn(ERRORS, error) ? ERRORS[error] : undefined;
    return known ?? faultFrame('comm-error', `the scale reports error ${error}`);
  }
  if (line === 'ES') {
    return faultFrame('config-error', 'the scale does not know the command; set another one');
  }
  const match = line.length > LONGEST ? null : FRAME.exec(line);
  if (match === null) return null;
  const [, close, first, digits = '', unit = '', motion, legend = ''] = match;
  if (legend.includes('T') && legend !== 'NET') return null;
  const frame = weightFrame(
    { negative: close === '-' || first === '-', digits, unit, stable: motion === '' },
    line.length,
  );
  if (frame === null || !frame.read.ok) return frame;
  if (legend.startsWith('N')) return faultFrame('config-error', NET_WHY);
  if (legend === '' && tare === 'marked') return faultFrame('config-error', UNMARKED_WHY);
  return frame;
}

/** Source: Ohaus 3000 Series Indicators manual, 5.2; in 7 or 8 bits. */
export function ohausCodec(options: OhausOptions): Codec {
  return lineCodec((line) => decode(line, options), { bits: 7 });
}
