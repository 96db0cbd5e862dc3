import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, int32Words, readBlocks } from '../modbus/register-image.ts';
import { countsOf, type RegisterModel } from './register-model.ts';

const COMMAND = { none: 0, zero: 1, tare: 2 };

/**
 * Dini Argeo DGT. Input registers 30001–2 gross and 30003–4 net, unsigned magnitudes, high word
 * first, in counts without a decimal point; 30005 status. Holding register 40001 command: 1 zero,
 * 2 tare; it reads as the last command. A key that is refused changes nothing, as on the device.
 * The status has no bit for a broken cell: it shows as overload.
 */
export function dgtDevice(indicator: Indicator, model: RegisterModel): RegisterDevice {
  let command = COMMAND.none;
  return {
    read: readBlocks([
      { table: 'input', address: 0, words: () => inputs(indicator, model) },
      { table: 'holding', address: 0, words: () => [command] },
    ]),
    write(address, values) {
      const [value] = values;
      if (address !== 0 || values.length !== 1 || value === undefined) return 'illegal-address';
      if (value === COMMAND.zero) indicator.zero();
      else if (value === COMMAND.tare) indicator.tare();
      else if (value !== COMMAND.none) return 'illegal-value';
      command = value;
      return 'done';
    },
  };
}

function inputs(indicator: Indicator, model: RegisterModel): number[] {
  const shown = indicator.display();
  const gross = countsOf(shown.grossMg, shown, model);
  const net = countsOf(shown.netMg, shown, model);
  const status = bitsOf({
    0: net < 0,
    1: gross < 0,
    2: shown.stable && !shown.cellError,
    3: shown.underload,
    4: shown.overload || shown.cellError,
    5: shown.tareMg !== 0,
    7: gross === 0,
  });
  return [...int32Words(Math.abs(gross)), ...int32Words(Math.abs(net)), status];
}
