import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';
import { bitsOf, int32Words, readBlocks } from '../modbus/register-image.ts';
import { countsOf, type RegisterModel } from './register-model.ts';

/** Any bit of the error register is an error; this one stands for the load cell. */
const CELL_ERROR = 1 << 16;

/**
 * Rinstrum C500, input registers: 1–2 gross, 3–4 net, 5–6 displayed (signed, high word first,
 * without a point), 7–8 status: bit 0 underload, 1 overload, 2 motion, 3 gross shown, 6 centre of
 * zero; 9–10 error. Nothing can be written.
 * Source: C500 reference manual, 19.3 and 21.3.35 (MSM).
 */
export function rinstrumDevice(indicator: Indicator, model: RegisterModel): RegisterDevice {
  const words = (): number[] => {
    const shown = indicator.display();
    const tared = shown.tareMg !== 0;
    const gross = countsOf(shown.grossMg, shown, model);
    const net = countsOf(shown.netMg, shown, model);
    const status = bitsOf({
      0: shown.underload,
      1: shown.overload && !shown.cellError,
      2: !shown.stable || shown.cellError,
      3: !tared,
      6: shown.centreOfZero && !shown.cellError,
    });
    const shownNow = tared ? net : gross;
    const error = shown.cellError ? CELL_ERROR : 0;
    return [gross, net, shownNow, status, error].flatMap(int32Words);
  };
  return {
    read: readBlocks([{ table: 'input', address: 0, words }]),
    write: () => 'illegal-address',
  };
}
