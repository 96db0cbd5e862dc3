import type { Display, Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, float32Words, int32Words, readBlocks } from '../modbus/register-image.ts';
import { countsOf, floatOf, type RegisterModel } from './register-model.ts';

/**
 * What a programmable indicator or a PLC can be set up to offer. Holding registers 40001–2 gross,
 * high word first: a signed 32-bit integer in counts, or a float; 40003 status: bit 0 stable,
 * 1 overload, 2 underload, 3 fault of the load cell. Nothing can be written.
 */
function genericDevice(
  indicator: Indicator,
  wordsOf: (shown: Display) => readonly number[],
): RegisterDevice {
  const words = (): number[] => {
    const shown = indicator.display();
    const status = bitsOf({
      0: shown.stable && !shown.cellError,
      1: shown.overload && !shown.cellError,
      2: shown.underload && !shown.cellError,
      3: shown.cellError,
    });
    return [...wordsOf(shown), status];
  };
  return {
    read: readBlocks([{ table: 'holding', address: 0, words }]),
    write: () => 'illegal-address',
  };
}

export function genericInt32Device(indicator: Indicator, model: RegisterModel): RegisterDevice {
  return genericDevice(indicator, (shown) => int32Words(countsOf(shown.grossMg, shown, model)));
}

export function genericFloat32Device(indicator: Indicator, model: RegisterModel): RegisterDevice {
  return genericDevice(indicator, (shown) => float32Words(floatOf(shown.grossMg, shown, model)));
}
