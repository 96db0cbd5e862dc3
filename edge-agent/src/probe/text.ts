import { registerNumber } from '#shared/profile.ts';
import type { Interpretation } from './core/interpretation.ts';
import { FIRST_REGISTERS } from './registers.ts';
import type { FoundLine, ProbeResult, ProfileFit } from './probe.ts';

type Modbus = Extract<ProbeResult, { kind: 'modbus' }>;

/** More than so many readings are not worth listing. */
const MOST_SHOWN = 8;

/** What was found, how sure it is, and what to paste into agent.yaml. */
export function probeText(result: ProbeResult): string {
  if (result.kind === 'nothing') {
    return [
      `Nothing was found: ${result.tried}.`,
      'Check power, wiring (A and B swapped?), and the indicator: its protocol may be switched off.',
      'Slaves may have other numbers (--units 1-247). Scales that speak only when asked (MT-SICS)',
      'are not heard: try protocol: mt-sics with `agent check` and `agent run`.',
    ].join('\n');
  }
  if (result.kind === 'ascii') {
    const { guess } = result;
    const shows = guess.massMg === null ? 'no weight' : `${guess.massMg / 1_000} g`;
    return [
      `${guess.protocol}: ${guess.frames} frames heard, the newest shows ${shows}.`,
      'Sure: the frames of other protocols look otherwise. Set divisionMg to one step of the display.',
      '',
      ...linkLines(guess.protocol, result),
      '    scales:',
      '      - { bin: CHANGE-ME, divisionMg: 1000 }',
    ].join('\n');
  }
  return modbusText(result);
}

function modbusText(result: Modbus): string {
  const { protocol, unit, fits, others, weights } = result;
  const head = `${protocol}, unit ${unit} answers.`;
  const known = `${weights} known weight${weights === 1 ? '' : 's'}`;
  if (fits.length > 0) {
    return [
      head,
      fits.length === 1
        ? `Profile ${fits[0]?.profile ?? ''} agrees with ${known}${weights > 1 ? ': sure.' : ': likely; another weight makes it sure.'}`
        : `${fits.length} profiles agree with ${known}: NOT sure. Take the one of your indicator:`,
      ...fits.flatMap((fit) => ['', ...linkLines(protocol, result), ...profileLines(unit, fit)]),
    ].join('\n');
  }
  const [only] = others;
  if (only === undefined) {
    return [
      head,
      `Neither a profile nor one of the first ${FIRST_REGISTERS} holding and input registers agrees with ${known}.`,
      'Is it the right mass, and is the scale zeroed and not tared? Where the manual puts the weight',
      'further up, write a profile (docs/profiles.md) and try it: --profile ./my-indicator.yaml',
    ].join('\n');
  }
  const isSure = others.length === 1 && weights > 1;
  return [
    head,
    'None of the profiles that were tried fits.',
    isSure
      ? `One reading of the registers agrees with ${known}: sure.`
      : `${others.length} readings of the registers agree with ${known}: NOT sure; probe again with another weight.`,
    ...others.slice(0, MOST_SHOWN).map((other) => `  ${meaning(other)}`),
    ...(others.length > MOST_SHOWN ? [`  and ${others.length - MOST_SHOWN} more`] : []),
    '',
    ...linkLines(protocol, result),
    ...profileLines(unit, { profile: './my-indicator.yaml', countMg: Math.round(only.countMg) }),
    '',
    '# my-indicator.yaml, beside agent.yaml. Add the status bits from the manual: without them an',
    '# overload or a broken load cell is not told from a weight. Make sure that it is gross, not net:',
    '# press tare; the gross weight stays.',
    ...profileFile(only),
  ].join('\n');
}

function linkLines(protocol: string, { address, serial }: FoundLine): string[] {
  return [
    '  - name: CHANGE-ME',
    `    protocol: ${protocol}`,
    `    address: ${address}`,
    ...(serial === null
      ? []
      : [
          `    serial: { baud: ${serial.baud}, parity: ${serial.parity}, dataBits: ${serial.dataBits}, stopBits: ${serial.stopBits} }`,
        ]),
  ];
}

function profileLines(unit: number, { profile, countMg }: ProfileFit): string[] {
  const count = countMg === null ? '' : `, countMg: ${countMg}`;
  return [
    '    scales:',
    `      - { bin: CHANGE-ME, unit: ${unit}, profile: ${profile}${count}, divisionMg: ${countMg ?? 1000} }`,
  ];
}

function meaning({ table, address, type, order, bytes, countMg, sign }: Interpretation): string {
  const words = type.endsWith('32') ? `, ${order === 'big' ? 'high' : 'low'} word first` : '';
  const swapped = bytes === 'little' ? ', bytes swapped' : '';
  const signed =
    sign === 'unseen'
      ? 'sign not seen yet'
      : sign === 'value'
        ? 'sign in the value'
        : `sign in bit ${sign.bit} of ${registerNumber(table, sign.address)}`;
  return `${table} ${registerNumber(table, address)} (wire address ${address}): ${type}${words}${swapped}, 1 is ${countMg} mg, ${signed}`;
}

function profileFile({ table, address, type, order, bytes, sign }: Interpretation): string[] {
  const status =
    typeof sign === 'object'
      ? [`status: { address: ${sign.address}, bits: [{ bit: ${sign.bit}, means: negative }] }`]
      : [];
  return [
    'name: my-indicator',
    'vendor: CHANGE-ME',
    'manual: found by agent probe',
    `table: ${table}`,
    `words: { order: ${order}, bytes: ${bytes} }`,
    `value: { address: ${address}, type: ${type}, is: gross }`,
    ...status,
  ];
}
