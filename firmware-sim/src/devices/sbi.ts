import { figuresOf, textOf } from '../core/figures.ts';
import type { Display, Indicator } from '../core/indicator.ts';
import { latin1, type AsciiDevice, type AsciiModel } from './ascii.ts';

const VALUE_CHARACTERS = 9;
const UNIT_CHARACTERS = 3;
const LINE_CHARACTERS = 14;
const ID_CHARACTERS = 6;

/**
 * Sartorius SBI, 16 characters: sign, value 9, space, unit 3, CR LF. The unit is blank until the
 * weight is stable. `H` over, `L` under, `Err 54` a broken cell. Commands: ESC and P print, T tare and
 * zero, U tare, V zero; a CR LF may follow. With the id code six characters come first: `G` gross,
 * `N` net, `Stat` for what is no weight. Source: Sartorius data interface, output format with 16
 * characters.
 */
export function sbiDevice(
  model: AsciiModel & { readonly idCode: boolean },
  indicator: Indicator,
): AsciiDevice {
  const frame = (): Buffer => {
    const shown = indicator.display();
    const id = model.idCode ? idOf(shown).padEnd(ID_CHARACTERS) : '';
    return latin1(`${id}${lineOf(shown, model)}\r\n`);
  };
  return {
    frame,
    // ESC, a letter and what ends a line; anything else is skipped a character at a time.
    commandLength(text) {
      if (text === '\x1b') return 0;
      return text.startsWith('\x1b') ? 2 : Math.min(1, text.length);
    },
    execute(command) {
      if (command === '\x1bP') return { reply: frame() };
      // Near zero the key zeroes, elsewhere it tares.
      if (command === '\x1bT' && indicator.zero() !== 'done') indicator.tare();
      if (command === '\x1bU') indicator.tare();
      if (command === '\x1bV') indicator.zero();
      return { reply: null };
    },
  };
}

function idOf(shown: Display): string {
  if (shown.overload || shown.underload || shown.cellError) return 'Stat';
  return shown.tareMg === 0 ? 'G' : 'N';
}

function lineOf(shown: Display, model: AsciiModel): string {
  if (shown.cellError) return 'Err 54'.padStart(9).padEnd(LINE_CHARACTERS);
  if (shown.overload) return '      H'.padEnd(LINE_CHARACTERS);
  if (shown.underload) return '      L'.padEnd(LINE_CHARACTERS);
  const text = textOf(shown.netMg, figuresOf(model, shown.unit));
  const sign = text.startsWith('-') ? '-' : '+';
  const value = text.replace('-', '').padStart(VALUE_CHARACTERS);
  return `${sign}${value} ${(shown.stable ? shown.unit : '').padEnd(UNIT_CHARACTERS)}`;
}
