import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, int32Words, readBlocks } from '../modbus/register-image.ts';
import { countsOf, type RegisterModel } from './register-model.ts';

const COMMAND_ADDRESS = 8;
/** Bits 13 to 15 of the status. */
const ERROR = { none: 0, adcOutOfRange: 1 << 13 };

/**
 * PT113, holding registers: 40001–2 weight (net where a tare is set), 40003 status, 40004–5 tare,
 * 40006–7 gross, 40008 status again, 40009 command: 1 zero, 2 tare, 3 clear. Two's complement, high
 * word first, without a point. Functions 3 and 16 only.
 * Source: PT113 instruction manual, 9.1.2.1.
 */
export function pt113Device(indicator: Indicator, model: RegisterModel): RegisterDevice {
  let command = 0;
  const words = (): number[] => {
    const shown = indicator.display();
    const status =
      bitsOf({
        1: !shown.cellError && !shown.overload && !shown.underload,
        2: !shown.stable || shown.cellError,
        3: shown.tareMg !== 0,
        12: shown.centreOfZero && !shown.cellError,
      }) + errorOf(shown);
    return [
      ...int32Words(countsOf(shown.netMg, shown, model)),
      status,
      ...int32Words(countsOf(shown.tareMg, shown, model)),
      ...int32Words(countsOf(shown.grossMg, shown, model)),
      status,
      command,
    ];
  };
  const keys = [
    () => {},
    () => indicator.zero(),
    () => indicator.tare(),
    () => indicator.clearTare(),
  ];
  return {
    functions: [0x03, 0x10],
    read: readBlocks([{ table: 'holding', address: 0, words }]),
    write(address, values) {
      const [value] = values;
      if (address !== COMMAND_ADDRESS || values.length !== 1) return 'illegal-address';
      const key = keys[value ?? -1];
      if (value === undefined || key === undefined) return 'illegal-value';
      key();
      command = value;
      return 'done';
    },
  };
}

/** The code's meanings: 1 ADC out of range, 2 over, 3 under. */
function errorOf(shown: {
  readonly cellError: boolean;
  readonly overload: boolean;
  readonly underload: boolean;
}): number {
  if (shown.cellError) return ERROR.adcOutOfRange;
  if (shown.overload) return 2 << 13;
  return shown.underload ? 3 << 13 : ERROR.none;
}
