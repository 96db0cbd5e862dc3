/**
 * Seven bits with parity take as long on the line as eight without, so such a scale is heard, and can
 * be asked, in eight bits: its parity is the eighth. That tells how it is set.
 */
export const EIGHTH_BITS = ['data', 'even', 'odd', 'stop'] as const;
/** `data`: eight data bits; `even`, `odd`: a parity bit; `stop`: the first of two stop bits. */
export type EighthBit = (typeof EIGHTH_BITS)[number];

const SEVEN_BITS = 0x7f;
const EIGHTH = 0x80;

/** So many of the bytes agree, since a line has noise. */
const AGREEING = 0.95;

const isEven = (byte: number): boolean => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones % 2 === 0;
};

/** What the eighth bit of text was used for. */
export function eighthBitOf(bytes: Uint8Array): EighthBit {
  const share = (holds: (byte: number) => boolean): number =>
    bytes.filter((byte) => holds(byte)).length / bytes.length;
  if (bytes.length === 0 || share((byte) => byte < EIGHTH) >= AGREEING) return 'data';
  if (share((byte) => byte >= EIGHTH) >= AGREEING) return 'stop';
  if (share(isEven) >= AGREEING) return 'even';
  return share((byte) => !isEven(byte)) >= AGREEING ? 'odd' : 'data';
}

/** The bytes of a text of seven-bit characters, as eight bits of such a line. */
export function inEightBits(text: string, use: EighthBit): Uint8Array {
  return Uint8Array.from(text, (character) => {
    const byte = character.charCodeAt(0) & SEVEN_BITS;
    const isSet =
      use === 'stop' || (use === 'even' && !isEven(byte)) || (use === 'odd' && isEven(byte));
    return isSet ? byte | EIGHTH : byte;
  });
}
