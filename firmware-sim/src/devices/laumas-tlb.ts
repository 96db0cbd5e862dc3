import { digitsOf, figuresOf, type DisplayUnit } from '../core/figures.ts';
import type { Display, Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, int32Words, readBlocks } from '../modbus/register-image.ts';
import type { RegisterModel } from './register-model.ts';

const COMMAND = { none: 0, tare: 7, zero: 8, clear: 9 };
const COMMAND_ADDRESS = 5;
/** Six digits are all it can display. */
const MOST_DIGITS = 999_999;
const FIRMWARE = 100;
const TYPE_TLB = 10;
const YEAR = 2026;
const SERIAL = 1;
const PROGRAM_BASE = 0;

/**
 * Laumas TLB, holding registers: 40006 command, 40007 status, 40008–9 gross, 40010–11 net, 40012–13
 * peak, 40014 unit (high byte) and division (low byte). Weights are magnitudes without a point, high
 * word first; their signs are bits of the status. At most 32 registers a request.
 * Source: TLB/TLU manuals, "List of available registers". Commands: 7 tare (net), 8 zero, 9 gross.
 */
export function laumasDevice(indicator: Indicator, model: RegisterModel): RegisterDevice {
  let command = COMMAND.none;
  let peakMg = -Infinity;
  const words = (): number[] => {
    const shown = indicator.display();
    peakMg = Math.max(peakMg, shown.grossMg);
    return [
      FIRMWARE,
      TYPE_TLB,
      YEAR,
      SERIAL,
      PROGRAM_BASE,
      command,
      statusOf(shown, model),
      ...magnitude(shown.grossMg, shown, model),
      ...magnitude(shown.netMg, shown, model),
      ...magnitude(peakMg, shown, model),
      unitAndDivision(shown, model),
    ];
  };
  return {
    maxRegisters: 32,
    read: readBlocks([{ table: 'holding', address: 0, words }]),
    write(address, values) {
      const [value] = values;
      if (address !== COMMAND_ADDRESS || values.length !== 1) return 'illegal-address';
      if (value === COMMAND.tare) indicator.tare();
      else if (value === COMMAND.zero) indicator.zero();
      else if (value === COMMAND.clear) indicator.clearTare();
      else if (value !== COMMAND.none) return 'illegal-value';
      command = value;
      return 'done';
    },
  };
}

function statusOf(shown: Display, model: RegisterModel): number {
  const { capacityMg, divisionMg } = model;
  const sound = !shown.cellError;
  return bitsOf({
    0: shown.cellError,
    2: sound && shown.grossMg > capacityMg + 9 * divisionMg,
    3: sound && shown.grossMg > 1.1 * capacityMg,
    4: Math.abs(digits(shown.grossMg, shown, model)) > MOST_DIGITS,
    5: Math.abs(digits(shown.netMg, shown, model)) > MOST_DIGITS,
    7: shown.grossMg < 0,
    8: shown.netMg < 0,
    10: shown.tareMg !== 0,
    11: sound && shown.stable,
    12: sound && shown.centreOfZero,
  });
}

/** It says itself where the point belongs, so a count is what the display's last digit counts. */
function digits(massMg: number, { unit }: Display, model: RegisterModel): number {
  return digitsOf(massMg, figuresOf(model, unit));
}

function magnitude(massMg: number, shown: Display, model: RegisterModel): number[] {
  return int32Words(Math.abs(digits(massMg, shown, model)));
}

const UNIT_CODE: Record<DisplayUnit, number> = { kg: 0, g: 1, lb: 3 };
/** Codes of 100, 50, 20, 10 … 0.0001. */
const DIVISIONS =
  '100 50 20 10 5 2 1 0.5 0.2 0.1 0.05 0.02 0.01 0.005 0.002 0.001 0.0005 0.0002 0.0001'.split(' ');

function unitAndDivision({ unit }: Display, model: RegisterModel): number {
  const { divisionDigits, decimals } = figuresOf(model, unit);
  const named = DIVISIONS.indexOf((divisionDigits / 10 ** decimals).toFixed(decimals));
  // A division it could not have: at least the point is where it says.
  const like = DIVISIONS.indexOf((1 / 10 ** decimals).toFixed(decimals));
  return UNIT_CODE[unit] * 0x100 + (named === -1 ? like : named);
}
