import { faultFrame, weightFrame, type Codec, type Frame } from './frame.ts';

export interface ToledoOptions {
  readonly checksum: 'auto' | 'required' | 'none';
}

const STX = 0x02;
const CR = 0x0d;
const LF = 0x0a;
const SEVEN_BITS = 0x7f;

/** STX, status A to C, weight of 6, tare of 6, CR. */
const LENGTH = 17;
const WEIGHT_AT = 4;
const TARE_AT = 10;
const WITH_CHECKSUM = LENGTH + 1;

/** Digits with blanks in front; some send no tare but blanks. */
const DIGITS = /^ *\d+$/;
const BLANK = /^ +$/;
const PRINTABLE = /^[ -~]+$/;

/** Bits of status B and C; the others are constant, and clones do not keep to them. */
const B = { net: 0x01, negative: 0x02, outOfRange: 0x04, motion: 0x08, kg: 0x10, unzeroed: 0x40 };
const C = { unit: 0x07, expanded: 0x10 };
const A_POINT = 0x07;
/** The value of the point's field where the digits are units; below are zeros, above decimals. */
const UNITS = 2;

/** Units by status C; pound or kilogram is told by status B, others are none that all agree on. */
const UNIT_NAMES = ['', 'g', 't', 'oz'] as const;

/** So many frames in a row must agree on whether there is a checksum. */
const CONVINCING = 3;

/**
 * Mettler-Toledo continuous output, short of what is not said alike everywhere: an expanded display is
 * refused. Where net is shown, the frame has the tare too, and gross is the sum.
 * Source: U-Line/Ohaus Defender 5000 manual, pp. 26-27; Rockwell 57C428 manual, appendix D.
 */
export function toledoCodec({ checksum }: ToledoOptions): Codec {
  let bytes: Uint8Array = new Uint8Array();
  let expected: boolean | null = checksum === 'auto' ? null : checksum === 'required';
  const evidence = { of: false, times: 0 };

  /** Learns from a frame and the two bytes after it whether streams of this line have checksums. */
  function learn(at: number): void {
    const next = bytes[at + LENGTH];
    const afterNext = bytes[at + WITH_CHECKSUM];
    const has = sumOf(bytes, at) === 0 && afterNext === STX;
    const hasNot = next === STX || (next === LF && afterNext === STX);
    if (!has && !hasNot) evidence.times = 0;
    else if (evidence.of === has) evidence.times += 1;
    else Object.assign(evidence, { of: has, times: 1 });
    if (evidence.times >= CONVINCING) expected = evidence.of;
  }

  /** @returns how far to go on from a frame's beginning; 0 to wait for more */
  function step(at: number, frames: Frame[]): number {
    const rest = bytes.length - at;
    if (rest < LENGTH) return 0;
    if (!isFrame(bytes, at)) return 1;
    if (expected === null) {
      if (rest < WITH_CHECKSUM + 1) return 0;
      learn(at);
      return LENGTH;
    }
    if (expected) {
      if (rest < WITH_CHECKSUM) return 0;
      if (sumOf(bytes, at) !== 0) return 1;
    }
    const frame = decode(bytes.subarray(at, at + LENGTH));
    if (frame !== null) frames.push(frame);
    return expected ? WITH_CHECKSUM : LENGTH;
  }

  return {
    push(more) {
      const all = new Uint8Array(bytes.length + more.length);
      all.set(bytes);
      for (const [index, byte] of more.entries()) all[bytes.length + index] = byte & SEVEN_BITS;
      bytes = all;
      const frames: Frame[] = [];
      let at = bytes.indexOf(STX);
      while (at >= 0) {
        const steps = step(at, frames);
        if (steps === 0) break;
        at = bytes.indexOf(STX, at + steps);
      }
      bytes = at < 0 ? new Uint8Array() : bytes.slice(at);
      return frames;
    },
    clear() {
      bytes = new Uint8Array();
    },
  };
}

/** Sum of a frame with its checksum, in 7 bits: 0 where it is right. */
function sumOf(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let place = at; place < at + WITH_CHECKSUM; place += 1) sum += bytes[place] ?? 0;
  return sum & SEVEN_BITS;
}

const textOf = (bytes: Uint8Array, at: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, TARE_AT - WEIGHT_AT).toString('latin1');

function isFrame(bytes: Uint8Array, at: number): boolean {
  if (bytes[at + LENGTH - 1] !== CR) return false;
  // Out of range, a display shows bars or blanks, and so do some frames.
  const isOut = ((bytes[at + 2] ?? 0) & B.outOfRange) !== 0;
  const weight = textOf(bytes, at + WEIGHT_AT);
  const tare = textOf(bytes, at + TARE_AT);
  return (
    (DIGITS.test(weight) || (isOut && PRINTABLE.test(weight))) &&
    (DIGITS.test(tare) || BLANK.test(tare))
  );
}

/** @param frame 17 bytes whose structure is right */
function decode(frame: Uint8Array): Frame | null {
  const [, a = 0, b = 0, c = 0] = frame;
  const negative = (b & B.negative) !== 0;
  if ((b & B.outOfRange) !== 0) {
    return negative ? faultFrame('underload', 'underload') : faultFrame('overload', 'overload');
  }
  if ((b & B.unzeroed) !== 0) {
    return faultFrame('config-error', 'the scale has not been zeroed since power-up');
  }
  if ((c & C.expanded) !== 0) {
    return faultFrame('config-error', 'the display is expanded tenfold; switch that off');
  }
  const isNet = (b & B.net) !== 0;
  const tare = isNet ? textOf(frame, TARE_AT) : '0';
  if (BLANK.test(tare)) {
    return faultFrame('config-error', 'the scale shows net and does not say its tare');
  }
  const magnitude = Number(textOf(frame, WEIGHT_AT));
  const gross = (negative ? -magnitude : magnitude) + Number(tare);
  const point = a & A_POINT;
  const poundOrKg = (b & B.kg) === 0 ? 'lb' : 'kg';
  const unit = UNIT_NAMES[c & C.unit] ?? `number ${c & C.unit}`;
  const weight = {
    negative: gross < 0,
    digits: withPoint(Math.abs(gross), point - UNITS),
    unit: unit === '' ? poundOrKg : unit,
    stable: (b & B.motion) === 0,
  };
  const shown = weightFrame(weight, LENGTH);
  // Net or gross: a bit that is wrong once must not pass for a tare.
  return shown === null ? null : { ...shown, shape: `${shown.shape} ${isNet ? 'net' : 'gross'}` };
}

/** @param decimals below 0 the digits are followed by zeros */
function withPoint(digits: number, decimals: number): string {
  if (decimals <= 0) return `${digits}${'0'.repeat(-decimals)}`;
  const text = String(digits).padStart(decimals + 1, '0');
  return `${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}
