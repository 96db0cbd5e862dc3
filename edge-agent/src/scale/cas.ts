import { faultFrame, NET_WHY, weightFrame, type Codec, type Frame } from './frame.ts';
import { lineCodec } from './line-codec.ts';

export interface CasOptions {
  /** Only frames of this device, where several share a line. */
  readonly device?: number | undefined;
}

/** CAS's 22 bytes: header, gross or net, device, lamps, data of 8, blank, unit of 2, CR LF. */
const FRAME = /^(ST|US|OL),(GS|NT),(.)(.),(.{8}) (.{2})$/s;
const FIRST_DEVICE = '0'.charCodeAt(0);

/** The lamp byte; a clone that has none sends something without the bit that is always 1. */
const LAMP = { always: 0x80, stable: 0x40, hold: 0x10, gross: 0x04, tare: 0x02 };

/** Blanks, sign, digits with a point. */
const DATA = /^ *([+-]?) *([\d.]+)$/;

function decode(line: string, { device }: CasOptions): Frame | null {
  if (line.startsWith('ERR'))
    return faultFrame('comm-error', `the indicator reports ${line.trim()}`);
  const match = FRAME.exec(line);
  if (match === null) return null;
  const [, header, kind, id = '', lampText = '', data = '', unit = ''] = match;
  const isOther = device !== undefined && id !== String.fromCharCode(FIRST_DEVICE + device);
  if (isOther) return null;
  if (header === 'OL') {
    return data.includes('-')
      ? faultFrame('underload', 'underload')
      : faultFrame('overload', 'overload');
  }
  const weight = DATA.exec(data);
  if (weight === null) return null;
  const code = lampText.charCodeAt(0);
  const lamp = (code & LAMP.always) === 0 ? null : code;
  const isLit = (bit: number, without: boolean): boolean =>
    lamp === null ? without : (lamp & bit) !== 0;
  // Header and lamps contradict each other: one of them came through wrongly.
  const showsTared = isLit(LAMP.tare, false) && !isLit(LAMP.gross, true);
  if ((kind === 'GS' && showsTared) || (kind === 'NT' && isLit(LAMP.gross, false))) return null;
  const [, sign, digits = ''] = weight;
  const frame = weightFrame(
    {
      negative: sign === '-',
      digits,
      unit: unit.trim(),
      stable: header === 'ST' && isLit(LAMP.stable, true),
    },
    line.length,
  );
  if (frame === null || !frame.read.ok) return frame;
  if (isLit(LAMP.hold, false)) return faultFrame('stale', 'the display is held');
  return kind === 'NT' ? faultFrame('config-error', NET_WHY) : frame;
}

/**
 * CAS's 22 bytes, in 8 bits: bit 7 of the lamp byte tells it from a filler.
 * Source: CI-600D owner's manual, 10-1; NT-200 manual, 14.
 */
export function casCodec(options: CasOptions): Codec {
  return lineCodec((line) => decode(line, options), { bits: 8 });
}

/** What an indicator that is set to be asked answers to: its device number as a character. */
export function casRequest(device: number): string {
  return String.fromCharCode(FIRST_DEVICE + device);
}
