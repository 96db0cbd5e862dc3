import type { ScaleRead } from '../core/scale-read.ts';

/**
 * Nanograms in one unit, all of them exact. Pound and ounces: international yard and pound agreement
 * of 1959 and NIST Handbook 44, appendix C; momme: Japanese Measurement Act. Not here, because the
 * same name means different masses: tael, tola, tical, "ton".
 */
const NG_PER_UNIT: Readonly<Record<string, bigint>> = {
  mg: 1_000_000n,
  g: 1_000_000_000n,
  kg: 1_000_000_000_000n,
  Kg: 1_000_000_000_000n,
  KG: 1_000_000_000_000n,
  t: 1_000_000_000_000_000n,
  lb: 453_592_370_000n,
  LB: 453_592_370_000n,
  oz: 28_349_523_125n,
  ozt: 31_103_476_800n,
  ct: 200_000_000n,
  dwt: 1_555_173_840n,
  GN: 64_798_910n,
  mom: 3_750_000_000n,
};
const NG_PER_MG = 1_000_000n;

/** Digits with at most one point or comma. */
const DECIMAL = /^(?=.*\d)(\d*)[.,]?(\d*)$/;

/** A weight as a frame shows it. */
export interface ShownWeight {
  readonly negative: boolean;
  /** `0012.50`, without sign and blanks. */
  readonly digits: string;
  readonly unit: string;
  readonly stable: boolean;
}

/**
 * @returns the mass in mg, by decimal arithmetic: no fraction of a unit is lost on the way, and half
 * a milligram is rounded away from zero; a fault where the unit is unknown; `null` where the digits
 * are none or the mass is beyond what a number holds exactly
 */
export function weightRead({ negative, digits, unit, stable }: ShownWeight): ScaleRead | null {
  const match = DECIMAL.exec(digits);
  if (match === null) return null;
  const [, whole = '', decimals = ''] = match;
  const ngPerUnit = Object.hasOwn(NG_PER_UNIT, unit) ? NG_PER_UNIT[unit] : undefined;
  if (ngPerUnit === undefined) {
    const expected = 'mg, g, kg, t, lb, oz, ozt, ct, dwt, GN or mom';
    return { ok: false, quality: 'config-error', why: `unit "${unit}"; expected ${expected}` };
  }
  const divisor = NG_PER_MG * 10n ** BigInt(decimals.length);
  const mg = Number((BigInt(whole + decimals) * ngPerUnit + divisor / 2n) / divisor);
  if (!Number.isSafeInteger(mg)) return null;
  // The sign of zero is no news, and minus zero is not equal to zero in every comparison.
  return { ok: true, massMg: negative && mg > 0 ? -mg : mg, stable };
}
