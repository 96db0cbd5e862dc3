import { digitsOf, figuresOf, type DisplayUnit, type Figures } from '../core/figures.ts';
import type { Display, Indicator } from '../core/indicator.ts';
import { bitsOf } from '../modbus/register-image.ts';
import type { AsciiDevice, AsciiModel } from './ascii.ts';

const STX = 0x02;
const CR = 0x0d;
const FIELD_DIGITS = 6;
const MOST = 10 ** FIELD_DIGITS - 1;
/** Bit 5 of each status byte is always set. */
const CONSTANT = 0x20;

/**
 * Toledo continuous output: STX, status A B C, weight and tare as six digits each without point and
 * sign, CR, and where it is switched on a checksum that makes the low seven bits of the sum 0.
 * Weight is net while a tare is set. Commands are single letters: T tare, C clear, Z zero.
 * Source: IND560 technical manual, appendix D, continuous output, standard template.
 */
export function toledoDevice(
  model: AsciiModel & { readonly checksum: boolean },
  indicator: Indicator,
): AsciiDevice {
  return {
    frame() {
      const shown = indicator.display();
      const figures = figuresOf(model, shown.unit);
      const { code, divisor } = pointOf(figures);
      const field = (massMg: number): string => {
        const digits = Math.round(Math.abs(digitsOf(massMg, figures)) / divisor);
        return String(Math.min(digits, MOST)).padStart(FIELD_DIGITS, '0');
      };
      const body = Buffer.from([
        STX,
        CONSTANT + code + incrementOf(figures, divisor) * 8,
        statusB(shown),
        CONSTANT + UNIT_CODE[shown.unit],
        ...Buffer.from(field(shown.netMg) + field(shown.tareMg)),
        CR,
      ]);
      return model.checksum ? Buffer.concat([body, Buffer.from([checksumOf(body)])]) : body;
    },
    commandLength: (text) => (text === '' ? 0 : 1),
    execute(command) {
      if (command === 'T') indicator.tare();
      if (command === 'C') indicator.clearTare();
      if (command === 'Z') indicator.zero();
      return { reply: null };
    },
  };
}

/** By byte B, kg or lb, is 0. */
const UNIT_CODE: Record<DisplayUnit, number> = { kg: 0, lb: 0, g: 1 };

/** Bits 0 to 2 of A: where the point is; 1 stands for a fixed zero behind the digits. */
function pointOf({ decimals, divisionDigits }: Figures): { code: number; divisor: number } {
  if (decimals > 0 || divisionDigits % 10 !== 0) return { code: decimals + 2, divisor: 1 };
  return { code: 1, divisor: 10 };
}

/** Bits 3 and 4 of A: what the last digit counts by. */
function incrementOf({ divisionDigits }: Figures, divisor: number): number {
  const last = divisionDigits / divisor;
  return last === 5 ? 3 : last === 2 ? 2 : 1;
}

function statusB(shown: Display): number {
  return (
    CONSTANT +
    bitsOf({
      0: shown.tareMg !== 0,
      1: shown.netMg < 0,
      2: shown.overload || shown.underload || shown.cellError,
      3: !shown.stable || shown.cellError,
      4: shown.unit !== 'lb',
      6: !shown.zeroed,
    })
  );
}

function checksumOf(bytes: Buffer): number {
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return -sum & 0x7f;
}
