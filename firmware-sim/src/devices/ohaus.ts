import { figuresOf, textOf } from '../core/figures.ts';
import type { Display, Indicator } from '../core/indicator.ts';
import { latin1, lineLength, type AsciiDevice, type AsciiModel } from './ascii.ts';

const WEIGHT_CHARACTERS = 7;
const UNIT_CHARACTERS = 5;
const LEGEND_CHARACTERS = 3;

/**
 * Ohaus Defender: polarity, space, weight 7, space, unit 5, stability (`?` in motion), legend 3
 * (G, NET), CR LF; over, and a broken cell, is `Err 8.3`, under `Err 8.4`, not zeroed at
 * power-up `Err 8.1`. Commands end
 * with CR LF: IP print now, P as IP, SP print when stable, CP print continuously, 0P stop, Z zero,
 * T tare; `ES` for others. Source: 3000 Series Indicators manual, 5.1 and 5.2.
 */
export function ohausDevice(model: AsciiModel, indicator: Indicator): AsciiDevice {
  const frame = (): Buffer => latin1(`${lineOf(indicator.display(), model)}\r\n`);
  return {
    frame,
    commandLength: lineLength,
    execute(command) {
      switch (command.trim()) {
        case '':
          return { reply: null };
        case 'IP':
        case 'P':
          return { reply: frame() };
        case 'SP':
          return { reply: indicator.display().stable ? frame() : null };
        case 'CP':
          return { reply: null, stream: true };
        case '0P':
          return { reply: null, stream: false };
        case 'Z':
          indicator.zero();
          return { reply: null };
        case 'T':
          indicator.tare();
          return { reply: null };
        default:
          return { reply: latin1('ES\r\n') };
      }
    },
  };
}

function lineOf(shown: Display, model: AsciiModel): string {
  if (!shown.zeroed) return 'Err 8.1';
  if (shown.overload || shown.cellError) return 'Err 8.3';
  if (shown.underload) return 'Err 8.4';
  const text = textOf(shown.netMg, figuresOf(model, shown.unit));
  const polarity = text.startsWith('-') ? '-' : ' ';
  const weight = text.replace('-', '').padStart(WEIGHT_CHARACTERS);
  const legend = shown.tareMg === 0 ? 'G' : 'NET';
  return [
    `${polarity} ${weight} ${shown.unit.padEnd(UNIT_CHARACTERS)}`,
    `${shown.stable ? ' ' : '?'}${legend.padEnd(LEGEND_CHARACTERS)}`,
  ].join('');
}
