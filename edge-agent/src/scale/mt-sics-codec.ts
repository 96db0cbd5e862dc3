import { MG_PER_G, MG_PER_KG } from '#shared/units.ts';
import type { ScaleRead } from '../core/scale-read.ts';

/** Send the weight at once, stable or not (MT-SICS reference manual, level 0). */
export const ASK_IMMEDIATE = 'SI\r\n';

/** The longest line of level 0 is well below; more without a line's end is not MT-SICS. */
const LONGEST_LINE = 128;

const MG_PER_UNIT: Readonly<Record<string, number>> = { mg: 1, g: MG_PER_G, kg: MG_PER_KG };

/** `S S     100.00 g`: stable or dynamic, value right-aligned in ten characters, unit. */
const WEIGHT = /^S ([SD]) +(-?) *(\d+(?:\.\d+)?) +([A-Za-z]+)$/;

/** Answers without a weight; what is not in this table is no answer to `SI`. */
const REFUSALS: Readonly<Record<string, ScaleRead>> = {
  'S +': { ok: false, quality: 'overload', why: 'overload' },
  'S -': { ok: false, quality: 'underload', why: 'underload' },
  'S I': { ok: false, quality: 'comm-error', why: 'the scale is busy' },
  ES: { ok: false, quality: 'config-error', why: 'the scale does not know the command SI' },
  EL: { ok: false, quality: 'config-error', why: 'the scale cannot execute the command SI' },
  ET: { ok: false, quality: 'comm-error', why: 'the scale received a broken command' },
};

/**
 * @param line one answer without its CR LF
 * @returns gross mass in mg, what the scale reports instead, or `null` for no answer to `SI`
 */
export function decodeAnswer(line: string): ScaleRead | null {
  const refusal = Object.hasOwn(REFUSALS, line) ? REFUSALS[line] : undefined;
  if (refusal !== undefined) return refusal;
  const match = WEIGHT.exec(line);
  if (match === null) return null;
  const [, stability, sign, digits = '', unit = ''] = match;
  const scale = Object.hasOwn(MG_PER_UNIT, unit) ? MG_PER_UNIT[unit] : undefined;
  if (scale === undefined) {
    return { ok: false, quality: 'config-error', why: `unit ${unit}; expected mg, g or kg` };
  }
  const massMg = Math.round(Number(digits) * scale);
  if (!Number.isSafeInteger(massMg)) return null;
  // The sign of zero is no news, and minus zero is not equal to zero in every comparison.
  return {
    ok: true,
    massMg: sign === '-' && massMg > 0 ? -massMg : massMg,
    stable: stability === 'S',
  };
}

/** Cuts a stream of bytes into lines, however it is split. */
export class LineReader {
  #rest = '';

  /** @returns the lines that these bytes completed, without CR LF */
  push(bytes: Uint8Array): string[] {
    // Latin-1 maps every byte to one character: noise on the line stays noise and throws nothing.
    this.#rest += Buffer.from(bytes).toString('latin1');
    const lines = this.#rest.split('\r\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) this.#rest = this.#rest.slice(-LONGEST_LINE);
    return lines;
  }

  /** Forgets a line that is not complete yet. */
  clear(): void {
    this.#rest = '';
  }
}
