import { faultFrame, NET_WHY, UNMARKED_WHY, weightFrame, type Codec, type Frame } from './frame.ts';
import { lineCodec } from './line-codec.ts';

export interface SbiOptions {
  /** Whether a weight that does not say what it is, or is simply called `N`, is gross. */
  readonly tare: 'marked' | 'locked';
}

/** Characters before CR LF; with an id code there are six more in front. */
const PLAIN = 14;
const ID = 6;

/** Sign, blank or digit, eight of weight, blank, unit of three. */
const WEIGHT = /^([+ -])([ \d][ \d.]{8}) ([A-Za-z%/ ]{3})$/;

/** Digits that are not verified stand in brackets, where the printer's format is set. */
const UNVERIFIED = /\[(\d)\]/;

const SPECIAL: Readonly<Record<string, Frame>> = {
  H: faultFrame('overload', 'overload'),
  HH: faultFrame('overload', 'overload'),
  High: faultFrame('overload', 'overload'),
  L: faultFrame('underload', 'underload'),
  LL: faultFrame('underload', 'underload'),
  Low: faultFrame('underload', 'underload'),
  C: faultFrame('comm-error', 'the balance is being calibrated'),
  OFF: faultFrame('comm-error', 'the balance is off'),
};

/** Ids of the 22 characters (ME215S manual, p. 135): gross, and net with no application tare. */
const GROSS = new Set(['G', 'G#']);
const PLAIN_NET = 'N';

class SbiDecoder {
  readonly #options: SbiOptions;
  /** A weight in motion has no unit: it is that of the frame before. */
  #unit: string | null = null;

  constructor(options: SbiOptions) {
    this.#options = options;
  }

  decode(line: string): Frame | null {
    const text = line.replace(UNVERIFIED, '$1 ');
    if (text.length !== PLAIN && text.length !== ID + PLAIN) return null;
    const id = text.length === PLAIN ? null : text.slice(0, ID).trim();
    const body = text.slice(-PLAIN);
    return special(body) ?? this.#weight(id, body, text.length);
  }

  #weight(id: string | null, body: string, length: number): Frame | null {
    const match = WEIGHT.exec(body);
    if (match === null) return null;
    const [, sign, digits = '', unitField = ''] = match;
    const stated = unitField.trim();
    const unit = stated === '' ? this.#unit : stated;
    const shown = digits.trimStart();
    if (unit === null || !/^\d[\d.]*$/.test(shown)) return null;
    const weight = { negative: sign === '-', digits: shown, unit, stable: stated !== '' };
    const frame = weightFrame(weight, length);
    if (frame === null || !frame.read.ok) return frame;
    this.#unit = unit;
    const isGross = id !== null && GROSS.has(id);
    if (isGross) return frame;
    if (id !== null && id !== '' && id !== PLAIN_NET) {
      return id.startsWith('N') ? faultFrame('config-error', NET_WHY) : null;
    }
    if (this.#options.tare === 'locked') return frame;
    return faultFrame('config-error', id === PLAIN_NET ? NET_WHY : UNMARKED_WHY);
  }
}

function special(body: string): Frame | null {
  const word = body.trim();
  if (Object.hasOwn(SPECIAL, word)) return SPECIAL[word] ?? null;
  if (/^(?:Err|ERR|APP|DIS|PRT)\b/.test(word)) {
    return faultFrame('comm-error', `the balance reports ${word}`);
  }
  return word.startsWith('Cal')
    ? faultFrame('comm-error', 'the balance is being calibrated')
    : null;
}

/**
 * Sartorius SBI of 16 and of 22 characters, in 7 or 8 bits.
 * Source: ME215S operating manual, p. 135; Master series manual, 5-5; LE2202S manual, p. 51.
 */
export function sbiCodec(options: SbiOptions): Codec {
  const decoder = new SbiDecoder(options);
  return lineCodec((line) => decoder.decode(line), { bits: 7 });
}

/** Asks for one print: ESC P. */
export const SBI_PRINT = '\u001BP\r\n';
