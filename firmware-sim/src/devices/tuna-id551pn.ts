import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, float32Words, readBlocks } from '../modbus/register-image.ts';
import { floatOf, type RegisterModel } from './register-model.ts';

const DEMAND_ADDRESS = 5;
const DEMAND = { zero: 1 << 11, tare: 1 << 12, clear: 1 << 13 };

/**
 * Tuna ID551PN, first scale, holding registers: 40001–2 shown weight, 40003–4 gross (floats, high
 * word first), 40005 status: bit 8 centre of zero, 9 under zero, 10 over capacity, 11 net,
 * 12 motion, 13 zeroed at power-up, 15 weight good; 40006 demand: a rising bit 11 zeroes, 12 tares,
 * 13 clears the tare. Source: ID551PN manual, 3.5.
 */
export function tunaDevice(indicator: Indicator, model: RegisterModel): RegisterDevice {
  let demand = 0;
  const words = (): number[] => {
    const shown = indicator.display();
    const status = bitsOf({
      8: shown.centreOfZero && !shown.cellError,
      9: shown.underload,
      10: shown.overload && !shown.cellError,
      11: shown.tareMg !== 0,
      12: !shown.stable || shown.cellError,
      13: shown.zeroed,
      15: !shown.cellError,
    });
    const [net, gross] = [shown.netMg, shown.grossMg].map((mass) => floatOf(mass, shown, model));
    return [...float32Words(net ?? 0), ...float32Words(gross ?? 0), status, demand];
  };
  return {
    read: readBlocks([{ table: 'holding', address: 0, words }]),
    write(address, values) {
      const [value] = values;
      if (address !== DEMAND_ADDRESS || values.length !== 1 || value === undefined) {
        return 'illegal-address';
      }
      const rising = value & ~demand;
      demand = value;
      if (rising & DEMAND.clear) indicator.clearTare();
      if (rising & DEMAND.zero) indicator.zero();
      if (rising & DEMAND.tare) indicator.tare();
      return 'done';
    },
  };
}
