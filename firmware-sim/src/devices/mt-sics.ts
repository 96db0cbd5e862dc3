import { MG_PER_G, MG_PER_KG } from '#shared/units.ts';
import { figuresOf, textOf } from '../core/figures.ts';
import type { Display, Indicator, KeyOutcome } from '../core/indicator.ts';

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
/** Not a command. */
const SYNTAX_ERROR = 'ES';
/** Characters that are none: a parity error, a wrong baud rate. */
const TRANSMISSION_ERROR = 'ET';
/** A command of levels 2 and 3, which this device cannot execute. */
const LOGICAL_ERROR = 'EL';
const OTHER_LEVELS = new Set([
  'C1',
  'C3',
  'D',
  'DW',
  'K',
  'PW',
  'SR',
  'SNR',
  'ST',
  'SU',
  'SIU',
  'M21',
]);
const MASS = /^(\d{1,8}(?:\.\d{1,6})?) (g|kg|lb)$/;
const UNIT_MG = { g: MG_PER_G, kg: MG_PER_KG, lb: 453_592.37 };

export function sicsDevice(model: SicsModel, indicator: Indicator): SicsDevice {
  const weigh = (moving: 'D' | 'I'): string => weighed(indicator.display(), model, moving);
  const tare = (name: string): string => {
    const outcome = indicator.tare();
    if (outcome !== 'done') return `${name} ${KEY_ANSWER[outcome]}`;
    const shown = indicator.display();
    return `${name} S ${weightText(shown.tareMg, shown, model)}`;
  };
  const answers: Readonly<Record<string, () => string>> = {
    S: () => weigh('I'),
    SI: () => weigh('D'),
    SIR: () => weigh('D'),
    Z: () => `Z ${KEY_ANSWER[indicator.zero()]}`,
    ZI: () => {
      const outcome = indicator.zero();
      return `ZI ${outcome === 'done' ? 'S' : KEY_ANSWER[outcome]}`;
    },
    T: () => tare('T'),
    TI: () => tare('TI'),
    TA: () => {
      const shown = indicator.display();
      return `TA A ${weightText(shown.tareMg, shown, model)}`;
    },
    TAC: () => {
      indicator.clearTare();
      return 'TAC A';
    },
    I4: () => `I4 A "${model.serial}"`,
    '@': () => {
      indicator.clearTare();
      return `I4 A "${model.serial}"`;
    },
  };
  const presetTare = (text: string): string => {
    const [, figure = '', unit = ''] = MASS.exec(text) ?? [];
    if (!Object.hasOwn(UNIT_MG, unit)) return 'TA L';
    const massMg = Number(figure) * UNIT_MG[unit as keyof typeof UNIT_MG];
    return indicator.presetTare(massMg) === 'done' ? (answers['TA']?.() ?? '') : 'TA L';
  };
  return {
    stable: () => indicator.display().stable,
    answer(command) {
      if (!/^[\x20-\x7e]*$/.test(command)) return TRANSMISSION_ERROR;
      const [name = '', ...parameters] = command.split(' ');
      if (OTHER_LEVELS.has(name)) return LOGICAL_ERROR;
      const known = Object.hasOwn(answers, name) ? answers[name] : undefined;
      if (known === undefined) return SYNTAX_ERROR;
      if (parameters.length === 0) return known();
      // `L`: understood, but not executable with this parameter.
      return name === 'TA' ? presetTare(parameters.join(' ')) : `${name} L`;
    },
  };
}

const KEY_ANSWER: Record<KeyOutcome, string> = { done: 'A', motion: 'I', over: '+', under: '-' };

/** @param moving what stands for a weight in motion: `D` with the weight, or `I` without */
function weighed(shown: Display, model: SicsModel, moving: 'D' | 'I'): string {
  // Nothing can be weighed now, and it is neither over nor under.
  if (shown.cellError) return 'S I';
  if (shown.overload) return 'S +';
  if (shown.underload) return 'S -';
  if (shown.stable) return `S S ${weightText(shown.netMg, shown, model)}`;
  return moving === 'I' ? 'S I' : `S D ${weightText(shown.netMg, shown, model)}`;
}

/** `    100.00 g`: right-aligned in ten characters, with as many decimals as a division needs. */
function weightText(massMg: number, { unit }: Display, model: SicsModel): string {
  return `${textOf(massMg, figuresOf(model, unit)).padStart(WEIGHT_CHARACTERS)} ${unit}`;
}
