import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseProfile, placesOf, registerNumber, spanOf, type RegisterProfile } from './profile.ts';

const FOLDER = join(import.meta.dirname, '../profiles');
const TABLE = join(import.meta.dirname, '../../docs/profiles.md');

const profiles = readdirSync(FOLDER)
  .toSorted()
  .map((file) => parseProfile(file, readFileSync(join(FOLDER, file), 'utf8')));

const numberOf = ({ table }: RegisterProfile, address: number): string =>
  `${registerNumber(table, address)} (${address})`;

function bitsOf({ status }: RegisterProfile): string {
  const bits = status?.bits ?? [];
  return bits
    .map(({ bit, inverted, means }) => `${inverted ? 'not ' : ''}${bit} ${means}`)
    .join(', ');
}

function unitOf({ unit }: RegisterProfile): string {
  if (unit === undefined) return '`countMg`';
  return typeof unit === 'string' ? unit : 'from the register';
}

const cellsOf = (profile: RegisterProfile): string[] => [
  `[${profile.name}](../shared/profiles/${profile.name}.yaml)`,
  profile.vendor,
  profile.table,
  `${numberOf(profile, profile.value.address)} ${profile.value.type}`,
  profile.status === undefined ? 'none' : numberOf(profile, profile.status.address),
  bitsOf(profile),
  profile.errorCode === undefined ? 'none' : numberOf(profile, profile.errorCode.address),
  unitOf(profile),
  `${spanOf(profile).count} of ${profile.maxRegisters}`,
];

const HEAD = [
  'name in agent.yaml',
  'indicator',
  'table',
  'gross',
  'status',
  'bits of the status',
  'error code',
  'mass of 1',
  'registers of a request',
];
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

test('docs/profiles.md says what the files say', async () => {
  const table = [HEAD, HEAD.map(() => '---'), ...profiles.map(cellsOf)].map(row).join('\n');
  const text = readFileSync(TABLE, 'utf8');
  const said = text.slice(text.indexOf('| name in'), text.lastIndexOf(' |\n') + 2);
  expect(said).toBe(table);
});

test('every shipped profile gives the wire address and the number that manuals print', () => {
  for (const profile of profiles) {
    for (const { path, register } of placesOf(profile)) {
      expect(register, `${profile.name} ${path.join('.')}`).toBeDefined();
    }
  }
});

test('numbers of registers start at 40001 and 30001, and have six digits from 10000 on', () => {
  expect(registerNumber('holding', 0)).toBe(40_001);
  expect(registerNumber('input', 9_998)).toBe(39_999);
  expect(registerNumber('holding', 9_999)).toBe(410_000);
  expect(registerNumber('input', 65_535)).toBe(365_536);
});

test('the example of one’s own profile is a valid one', () => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(TABLE, 'utf8')) ?? [];
  expect(parseProfile('docs/profiles.md', example)).toMatchObject({ name: 'my-indicator' });
});
