import type { Display, Indicator, KeyOutcome } from '../core/indicator.ts';
import { MG_PER_G, MG_PER_KG } from '#shared/units.ts';

/**
 * Mettler-Toledo's MT-SICS, levels 0 and 1 as far as a shelf scale needs them.
 * Source: MT-SICS Reference Manual (11781363), commands S, SI, SIR, Z, ZI, T, TI, TA, TAC, I4, @.
 */
export interface SicsDevice {
  /** What `S`, `Z` and `T` wait for. */
  stable(): boolean;
  /** @param command without its CR LF; one that waits is given once stable or out of patience */
  answer(command: string): string;
}

const WEIGHT_CHARACTERS = 10;
/** From this capacity on a scale shows kg. */
const KG_FROM_MG = 30 * MG_PER_KG;

export interface SicsModel {
  readonly serial: string;
  readonly capacityMg: number;
  readonly divisionMg: number;
}

/** Commands that are answered only once the scale stands still, or given up. */
export function waitsForStability(command: string): boolean {
  return command === 'S' || command === 'Z' || command === 'T';
}

export const REPEAT_COMMAND = 'SIR';
const SYNTAX_ERROR = 'ES';

export function sicsDevice(model: SicsModel, indicator: Indicator): SicsDevice {
  const weight = weightFormat(model);
  const answers: Readonly<Record<string, () => string>> = {
    S: () => weighed('S', indicator.display(), weight, 'I'),
    SI: () => weighed('S', indicator.display(), weight, 'D'),
    SIR: () => weighed('S', indicator.display(), weight, 'D'),
    Z: () => `Z ${KEY_ANSWER[indicator.zero()]}`,
    ZI: () => {
      const outcome = indicator.zero();
      return `ZI ${outcome === 'done' ? 'S' : KEY_ANSWER[outcome]}`;
    },
    T: () => tared('T', indicator, weight),
    TI: () => tared('TI', indicator, weight),
    TA: () => `TA A ${weight(indicator.display().tareMg)}`,
    TAC: () => {
      indicator.clearTare();
      return 'TAC A';
    },
    I4: () => `I4 A "${model.serial}"`,
    '@': () => `I4 A "${model.serial}"`,
  };
  return {
    stable: () => indicator.display().stable,
    answer(command) {
      const [name = '', ...parameters] = command.split(' ');
      const known = Object.hasOwn(answers, name) ? answers[name] : undefined;
      if (known === undefined) return SYNTAX_ERROR;
      // `L`: understood, but not executable with this parameter.
      return parameters.length > 0 ? `${name} L` : known();
    },
  };
}

const KEY_ANSWER: Record<KeyOutcome, string> = { done: 'A', motion: 'I', over: '+', under: '-' };

/** @param moving what stands for a weight in motion: `D` with the weight, or `I` without */
function weighed(
  name: string,
  shown: Display,
  weight: (massMg: number) => string,
  moving: 'D' | 'I',
): string {
  if (shown.overload) return `${name} +`;
  if (shown.underload) return `${name} -`;
  if (shown.stable) return `${name} S ${weight(shown.netMg)}`;
  return moving === 'I' ? `${name} I` : `${name} D ${weight(shown.netMg)}`;
}

function tared(name: string, indicator: Indicator, weight: (massMg: number) => string): string {
  const outcome = indicator.tare();
  if (outcome !== 'done') return `${name} ${KEY_ANSWER[outcome]}`;
  return `${name} S ${weight(indicator.display().tareMg)}`;
}

/** `    100.00 g`: right-aligned in ten characters, with as many decimals as a division needs. */
function weightFormat({ capacityMg, divisionMg }: SicsModel): (massMg: number) => string {
  const inKg = capacityMg >= KG_FROM_MG;
  const unitMg = inKg ? MG_PER_KG : MG_PER_G;
  let decimals = 0;
  while (divisionMg % (unitMg / 10 ** decimals) !== 0) decimals += 1;
  return (massMg) =>
    `${(massMg / unitMg).toFixed(decimals).padStart(WEIGHT_CHARACTERS)} ${inKg ? 'kg' : 'g'}`;
}
