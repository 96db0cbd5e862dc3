import { figuresOf, textOf } from '../core/figures.ts';
import type { Display, Indicator } from '../core/indicator.ts';
import { latin1, lineLength, signed, type AsciiDevice, type AsciiModel } from './ascii.ts';

export const A_AND_D_FORMATS = ['plain', 'gross-net'] as const;

/**
 * A&D indicators. `plain`: `ST,+00012.34 kg`, sign and digits 9 characters, unit 3; an overload is
 * `OL,+9999999E+19`. `gross-net`: `ST,GS,+0012.34kg`, 8 and 2 characters, GS gross, NT net.
 * Commands end with CR LF: Q, SI and RW now, RG gross now, S once stable, SIR repeat, C stop, Z zero, T tare, CT clear;
 * `?` unknown, `I` not possible now. Source: AD-4401 and FX-i manuals, data format and commands.
 */
export function aAndDDevice(
  model: AsciiModel & { readonly format: (typeof A_AND_D_FORMATS)[number] },
  indicator: Indicator,
): AsciiDevice {
  const frame = (): Buffer => {
    const shown = indicator.display();
    return latin1(model.format === 'plain' ? plain(shown, model) : grossNet(shown, model));
  };
  return {
    frame,
    commandLength: lineLength,
    execute(command) {
      switch (command.trim()) {
        case '':
          return { reply: null };
        case 'Q':
        case 'SI':
        case 'RW':
          return { reply: frame() };
        case 'S':
          return indicator.display().stable ? { reply: frame() } : done('I');
        case 'RG': {
          const shown = indicator.display();
          const gross = { ...shown, netMg: shown.grossMg, tareMg: 0 };
          return { reply: latin1(grossNet(gross, model)) };
        }
        case 'SIR':
          return { reply: null, stream: true };
        case 'C':
          return { reply: null, stream: false };
        case 'Z':
          return key('Z', indicator.zero());
        case 'T':
          return key('T', indicator.tare());
        case 'CT':
          indicator.clearTare();
          return done('CT');
        default:
          return done('?');
      }
    },
  };
}

const done = (text: string): { reply: Buffer } => ({ reply: latin1(`${text}\r\n`) });
const key = (name: string, outcome: string): { reply: Buffer } =>
  done(outcome === 'done' ? name : 'I');

function header(shown: Display): 'OL' | 'ST' | 'US' {
  if (shown.overload || shown.underload || shown.cellError) return 'OL';
  return shown.stable ? 'ST' : 'US';
}

function plain(shown: Display, model: AsciiModel): string {
  const state = header(shown);
  if (state === 'OL') return `OL,${shown.grossMg < 0 ? '-' : '+'}9999999E+19\r\n`;
  const digits = signed(textOf(shown.netMg, figuresOf(model, shown.unit)), 9);
  return `${state},${digits}${shown.unit.padStart(3)}\r\n`;
}

function grossNet(shown: Display, model: AsciiModel): string {
  const state = header(shown);
  const what = shown.tareMg === 0 ? 'GS' : 'NT';
  const digits =
    state === 'OL'
      ? signed(shown.grossMg < 0 ? '-9999999' : '9999999', 8)
      : signed(textOf(shown.netMg, figuresOf(model, shown.unit)), 8);
  return `${state},${what},${digits}${shown.unit.padStart(2)}\r\n`;
}
