import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, float32Words, readBlocks } from '../modbus/register-image.ts';
import { floatOf, type RegisterModel } from './register-model.ts';

const RECORD_ADDRESS = 3000;
/** Number, length, application and version of data record 30. */
const HEADER = [30, 112, 105, 1];

/**
 * SIWAREX WP251, data record 30 in holding registers from 3000: four of header, 3004 status:
 * bit 0 a quarter division about zero, 1 out of range, 2 tared, 6 standstill; 3005 to 3007 more
 * status, 0 here; floats: 3008 gross, 3010 net, 3012 tare, 3014 gross or net rounded. Its command
 * mailboxes are not simulated. Source: WP251 manual 12/2015, table 8-27.
 */
export function siwarexDevice(indicator: Indicator, model: RegisterModel): RegisterDevice {
  const words = (): number[] => {
    const shown = indicator.display();
    const status = bitsOf({
      0: shown.centreOfZero && !shown.cellError,
      1: shown.overload || shown.underload || shown.cellError,
      2: shown.tareMg !== 0,
      6: shown.stable && !shown.cellError,
    });
    const masses = [shown.grossMg, shown.netMg, shown.tareMg, shown.netMg];
    const floats = masses.flatMap((massMg) => float32Words(floatOf(massMg, shown, model)));
    return [...HEADER, status, 0, 0, 0, ...floats];
  };
  return {
    read: readBlocks([{ table: 'holding', address: RECORD_ADDRESS, words }]),
    write: () => 'illegal-address',
  };
}
