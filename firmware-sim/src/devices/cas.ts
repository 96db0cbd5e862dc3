import { figuresOf, textOf } from '../core/figures.ts';
import type { Indicator } from '../core/indicator.ts';
import { bitsOf } from '../modbus/register-image.ts';
import { latin1, type AsciiDevice, type AsciiModel } from './ascii.ts';

const DATA_CHARACTERS = 8;
/** Device number 1 is the character `1`. */
const ZERO_CHARACTER = 0x30;

/**
 * CAS indicators, 22 bytes: `ST,GS,<id><lamp>,<8 data> kg` CR LF. ST stable, US unstable, OL over or
 * under; GS gross, NT net; lamp: bit 7 always, 6 stable, 2 gross, 1 tare, 0 zero, so a byte above
 * 0x7F. In the command mode the device's own id asks for one output.
 * Source: CI-400 and CI-600D owner's manuals, data format.
 */
export function casDevice(
  model: AsciiModel & { readonly deviceId: number },
  indicator: Indicator,
): AsciiDevice {
  const id = String.fromCodePoint(ZERO_CHARACTER + model.deviceId);
  const frame = (): Buffer => {
    const shown = indicator.display();
    const out = shown.overload || shown.underload || shown.cellError;
    const tared = shown.tareMg !== 0;
    const state = out ? 'OL' : shown.stable ? 'ST' : 'US';
    const lamp = bitsOf({
      7: true,
      6: shown.stable && !out,
      2: !tared,
      1: tared,
      0: shown.centreOfZero && !out,
    });
    const data = padded(textOf(shown.netMg, figuresOf(model, shown.unit)));
    const what = tared ? 'NT' : 'GS';
    const unit = shown.unit.padStart(2);
    return latin1(`${state},${what},${id}${String.fromCodePoint(lamp)},${data} ${unit}\r\n`);
  };
  return {
    frame,
    commandLength: (text) => (text === '' ? 0 : 1),
    execute: (command) => ({ reply: command === id ? frame() : null }),
  };
}

/** Zeros before the digits, the sign before them: `-0000.18`. */
function padded(text: string): string {
  if (!text.startsWith('-')) return text.padStart(DATA_CHARACTERS, '0').slice(-DATA_CHARACTERS);
  return `-${text
    .slice(1)
    .padStart(DATA_CHARACTERS - 1, '0')
    .slice(1 - DATA_CHARACTERS)}`;
}
