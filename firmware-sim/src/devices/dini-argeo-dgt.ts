import type { Indicator } from '../core/indicator.ts';
import type { RegisterDevice } from '../modbus/pdu.ts';

const STATUS = {
  netNegative: 1 << 0,
  grossNegative: 1 << 1,
  stable: 1 << 2,
  underload: 1 << 3,
  overload: 1 << 4,
  tareEntered: 1 << 5,
  grossZero: 1 << 7,
};

const COMMAND = { none: 0, zero: 1, tare: 2 };

/**
 * Dini Argeo DGT. Input registers 30001–2 gross and 30003–4 net, unsigned magnitudes, high word
 * first, in counts without a decimal point; 30005 status. Holding register 40001 command: 1 zero,
 * 2 tare; it reads as the last command. A key that is refused changes nothing, as on the device.
 */
export function dgtDevice(indicator: Indicator, countMg: number): RegisterDevice {
  let command = COMMAND.none;
  return {
    read(table, address, count) {
      const registers = table === 'input' ? inputs(indicator, countMg) : [command];
      return address + count > registers.length ? null : registers.slice(address, address + count);
    },
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

function inputs(indicator: Indicator, countMg: number): number[] {
  const shown = indicator.display();
  const gross = Math.round(shown.grossMg / countMg);
  const net = Math.round(shown.netMg / countMg);
  const status =
    (net < 0 ? STATUS.netNegative : 0) |
    (gross < 0 ? STATUS.grossNegative : 0) |
    (shown.stable ? STATUS.stable : 0) |
    (shown.underload ? STATUS.underload : 0) |
    (shown.overload ? STATUS.overload : 0) |
    (shown.tareMg === 0 ? 0 : STATUS.tareEntered) |
    (gross === 0 ? STATUS.grossZero : 0);
  return [...words(Math.abs(gross)), ...words(Math.abs(net)), status];
}

function words(value: number): [high: number, low: number] {
  return [(value >>> 16) & 0xffff, value & 0xffff];
}
