import { registerNumber } from '#shared/profile.ts';
import type { Interpretation } from './core/interpretation.ts';
import { FIRST_REGISTERS } from './registers.ts';
import type { EighthBit } from './core/eighth-bit.ts';
import type { FoundLine, ProbeResult, SerialSettings } from './probe.ts';
import type { ProfileFit } from './weighing.ts';

type Modbus = Extract<ProbeResult, { kind: 'modbus' }>;

/** Where the step of the display is not known: the technician is told to set it. */
const UNKNOWN_STEP_MG = 1_000;

/** More than so many readings are not worth listing. */
const MOST_SHOWN = 8;

/** Whether nothing else fits; else another mass, or the manual, has to decide. */
export function isSure(result: ProbeResult): boolean {
  if (result.kind === 'nothing') return false;
  if (result.kind === 'ascii') return showsWeight(result);
  const { fits, others, weights } = result;
  return weights > 1 && (fits.length === 1 || (fits.length === 0 && others.length === 1));
}

/** What was found, how sure it is, and what to paste into agent.yaml. */
export function probeText(result: ProbeResult): string {
  if (result.kind === 'nothing') {
    return [
      `Nothing was found: ${result.tried}.`,
      'Nobody answered. In the order in which it is usually the reason:',
      '- Is the indicator on, and its interface set to a protocol (not to a printer, not off)?',
      '- RS-485: are A and B swapped? Makers disagree on their names: swap them, it harms nothing.',
      '- RS-232: are TX and RX crossed? Is it an RS-232 port at all, and not RS-422 or a USB cable of',
      '  another maker?',
      '- Is a ground wire connected, and does the line end in 120 ohm at both ends and nowhere else?',
      '- Has the slave another number (--units 1-247) or does it take longer (--timeout-ms 1000)?',
      '- Does another program use the port or the only connection of the gateway (agent, vendor’s tool)?',
    ].join('\n');
  }
  return result.kind === 'ascii' ? asciiText(result) : modbusText(result);
}

type Ascii = Extract<ProbeResult, { kind: 'ascii' }>;

/** A scale shows what lies on it to within this part. */
const TOLERANCE = 0.005;

const showsWeight = ({ guess, weightMg }: Ascii): boolean =>
  guess.massMg !== null && Math.abs(guess.massMg - weightMg) <= TOLERANCE * Math.abs(weightMg);

function asciiText(result: Ascii): string {
  const { guess, keys, serial, weightMg } = result;
  const { protocol, frames, massMg, digitMg, eighthBit } = guess;
  const expected = showsWeight(result)
    ? 'as it should: sure.'
    : `not ${weightMg / 1_000} g: is it the right mass, and is the scale zeroed and not tared?`;
  const shows =
    massMg === null ? `no weight: ${guess.why ?? ''}` : `${massMg / 1_000} g, ${expected}`;
  return [
    `${protocol}: ${frames} frames, the newest shows ${shows}`,
    'divisionMg is one step of the display; the last digit may go in steps of 2, 5 or 10.',
    ...(guess.isMarked
      ? []
      : ['Its frames do not say whether they are gross: lock the tare key of the scale.']),
    '',
    ...linkLines(protocol, { ...result, serial: serial && { ...serial, ...BITS[eighthBit] } }),
    ...[...keys, ...(guess.isMarked ? [] : ['tare: locked'])].map((key) => `    ${key}`),
    '    scales:',
    `      - { bin: CHANGE-ME, divisionMg: ${digitMg ?? UNKNOWN_STEP_MG} }`,
  ].join('\n');
}

/** What a line of eight bits without parity really was. */
const BITS: Readonly<Record<EighthBit, Partial<SerialSettings>>> = {
  data: {},
  even: { dataBits: 7, parity: 'even' },
  odd: { dataBits: 7, parity: 'odd' },
  stop: { dataBits: 7, parity: 'none', stopBits: 2 },
};

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
    ...profileLines(unit, {
      profile: './my-indicator.yaml',
      countMg: Math.round(only.countMg),
      isStep: only.type !== 'float32',
    }),
    '',
    '# my-indicator.yaml, beside agent.yaml. Add the status bits from the manual: without them an',
    '# overload or a broken load cell is not told from a weight. Make sure that it is gross, not net:',
    '# press tare; the gross weight stays.',
    ...profileFile(only),
  ].join('\n');
}

function linkLines(protocol: string, { address, serial }: FoundLine): string[] {
  return [
    'links:',
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

function profileLines(unit: number, { profile, countMg, isStep }: ProfileFit): string[] {
  const count = countMg === null ? '' : `, countMg: ${countMg}`;
  return [
    '    scales:',
    `      - { bin: CHANGE-ME, unit: ${unit}, profile: ${profile}${count}, divisionMg: ${isStep && countMg !== null ? countMg : UNKNOWN_STEP_MG} }`,
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
