import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';

const STATUS = { stable: 1 << 0, overload: 1 << 1, underload: 1 << 2 };

/**
 * Holding registers 40001–2 gross as a signed 32-bit integer, high word first, in counts; 40003
 * status: bit 0 stable, 1 overload, 2 underload, 3 fault. Nothing can be written.
 */
export function genericInt32Device(indicator: Indicator, countMg: number): RegisterDevice {
  return {
    read(table, address, count) {
      const shown = indicator.display();
      const gross = Math.round(shown.grossMg / countMg);
      const status =
        (shown.stable ? STATUS.stable : 0) |
        (shown.overload ? STATUS.overload : 0) |
        (shown.underload ? STATUS.underload : 0);
      const registers = table === 'holding' ? [(gross >> 16) & 0xffff, gross & 0xffff, status] : [];
      return address + count > registers.length ? null : registers.slice(address, address + count);
    },
    write: () => 'illegal-address',
  };
}
