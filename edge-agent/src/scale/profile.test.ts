import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freshFolder } from '../testing/folder.ts';
import { loadProfile, profileNames } from './profile.ts';

const OWN = `
name: my-indicator
vendor: Me
manual: my own
table: input
value: { address: 10, register: 30011, type: int32, is: displayed }
status:
  address: 12
  bits:
    - { bit: 0, means: stable }
    - { bit: 1, means: net }
decimals: 2
unit: kg
`;

function own(text: string): () => ReturnType<typeof loadProfile> {
  const folder = freshFolder();
  writeFileSync(join(folder, 'mine.yaml'), text);
  return () => loadProfile('./mine.yaml', folder);
}

test.each(profileNames())('the profile %s is valid and bears its file name', (name) => {
  expect(loadProfile(name).name).toBe(name);
});

test('a profile of one’s own is a path relative to the configuration', () => {
  expect(own(OWN)()).toMatchObject({ name: 'my-indicator', maxRegisters: 125, unit: 'kg' });
});

test('a name that is none says which there are, and a file that is missing says so', () => {
  expect(() => loadProfile('laumas')).toThrow('laumas-tlb');
  expect(() => loadProfile('./nowhere.yaml')).toThrow('ENOENT');
});

describe.each([
  [
    'a wire address that is not the register',
    'register: 30011',
    'register: 30010',
    ':6: value.register: is 30010; expected 30011, which wire address 10 is',
  ],
  [
    'a register of another table',
    'register: 30011',
    'register: 40011',
    'value.register: is 40011; expected 30011',
  ],
  [
    'a type there is not',
    'type: int32',
    'type: int8',
    ':6: value.type: is "int8"; expected one of int16',
  ],
  [
    'net without gross',
    'is: displayed',
    'is: net',
    ':6: value.is: is "net"; expected one of gross, displayed',
  ],
  [
    'a displayed weight whose net nobody tells',
    '    - { bit: 1, means: net }\n',
    '',
    'value.is: is "displayed"; expected gross, or a status bit that means net',
  ],
  [
    'a bit beyond its register',
    'bit: 0',
    'bit: 16',
    'status.bits.0.bit: is 16; expected less than 16',
  ],
  ['an unknown key', 'vendor: Me', 'seller: Me', 'seller: is "Me"; expected no such key'],
  [
    'status too far from the weight',
    'address: 12',
    'address: 200',
    'maxRegisters: missing; expected at least 191',
  ],
])('%s', (_, from, to, fault) => {
  test('is a fault with file, line and key', () => {
    expect(OWN).toContain(from);
    expect(own(OWN.replace(from, to))).toThrow(fault);
    expect(own(OWN.replace(from, to))).toThrow('mine.yaml:');
  });
});
