import { InvalidArgumentError, Option } from 'commander';

/** What `agent probe` was told. */
export interface ProbeArguments {
  readonly serial?: string;
  readonly tcp?: string;
  /** In mg: commander names it after the option. */
  readonly weightG: number;
  readonly units: readonly number[];
  readonly profile: readonly string[];
  readonly timeoutMs: number;
}

/** Defaults are shown as they would be typed: in grams, as a list. */
export const PROBE_OPTIONS: readonly Option[] = [
  new Option('--serial <path>', 'serial port, e.g. /dev/ttyUSB0'),
  new Option('--tcp <host:port>', 'device, gateway or device server'),
  new Option('--weight-g <grams>', 'mass that lies on the scale')
    .argParser(mass)
    .default(500_000, '500'),
  new Option('--units <list>', 'unit ids to try, e.g. 1-10,17')
    .argParser(unitsOf)
    .default([1, 2, 3, 4, 5], '1-5'),
  new Option('--profile <name...>', 'profiles to try, by name or path').default(
    [],
    'all that come along',
  ),
  new Option('--timeout-ms <ms>', 'how long an answer may take')
    .argParser(milliseconds)
    .default(300),
];

/** @returns mg, of a mass in grams; `null` where the text is none */
export function milligrams(text: string): number | null {
  const grams = Number(text);
  const isMass = text.trim() !== '' && Number.isFinite(grams) && Math.abs(grams) <= 1e8;
  return isMass ? grams * 1_000 : null;
}

function mass(text: string): number {
  const massMg = milligrams(text);
  if (massMg === null) throw new InvalidArgumentError('a mass in grams, e.g. 500');
  return massMg;
}

/** `1-10,17` as numbers. */
function unitsOf(text: string): number[] {
  const units = text.split(',').flatMap((part) => {
    const [, first, last = first] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    return Array.from({ length: Math.max(0, to - from + 1) || 0 }, (_, n) => from + n);
  });
  if (units.length > 0 && units.every((unit) => unit >= 1 && unit <= 247)) return units;
  throw new InvalidArgumentError('unit ids from 1 to 247, e.g. 1-10,17');
}

function milliseconds(text: string): number {
  const duration = Number(text);
  if (Number.isInteger(duration) && duration >= 1 && duration <= 60_000) return duration;
  throw new InvalidArgumentError('a whole number from 1 to 60000');
}
