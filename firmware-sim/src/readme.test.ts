import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { REGISTER_PROFILES } from './devices/register-devices.ts';
import { cell } from './scenario/cell.ts';
import { parseScenario } from './scenario/scenario.ts';
import { smallText } from './testing/small-scenario.ts';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
/** Lines of tables. */
const rows = readme.split('\n').filter((line) => line.startsWith('|'));
const rowOf = (name: string): string =>
  rows.find((row) => row.split('|')[1]?.includes(`\`${name}\``)) ?? '';

test.each(REGISTER_PROFILES)('the profile %s is in the table of devices', (profile) => {
  expect(rowOf(profile)).toMatch(/4000|3000|3004/);
});

test.each(['mt-sics', 'toledo', 'a-and-d', 'cas', 'ohaus', 'sbi', 'count', 'level', 'presence'])(
  '%s is in the table of devices',
  (name) => {
    expect(rowOf(name)).not.toBe('');
  },
);

describe.each(Object.keys(cell.shape))('the key %s of cell', (key) => {
  /** What it becomes when only a time is given. */
  const parsed = cell.parse({ [key]: withTime(key) }) as Record<string, Record<string, unknown>>;

  test('is documented with the defaults that it has', () => {
    const row = rowOf(key);
    expect(row).not.toBe('');
    const documented = Object.fromEntries(
      [...row.matchAll(/`(\w+): ([\w.]+)`/g)].map(([, name, value]) => [name, parse(value ?? '')]),
    ) as Record<string, unknown>;
    const { afterS: _, perDay: __, ...defaults } = parsed[key] ?? {};
    expect(defaults).toEqual(documented);
  });
});

function withTime(key: string): object {
  return ['creep', 'temperature', 'settling'].includes(key) ? {} : { afterS: 1 };
}

test('the example of a misbehaving scale is a valid one', () => {
  const example = readme.split('\n').filter((line) => /^ {4}(cell|outage): /.test(line));
  expect(example).toHaveLength(2);
  const lines = example.map((line) => `            ${line.trim()}\n`).join('');
  const text = smallText().replace('unit: 7\n', `unit: 7\n${lines}`);
  const [, rtu] = parseScenario('small.yaml', text).sites[0]?.links ?? [];
  expect(rtu?.scales[0]?.cell?.leaning).toMatchObject({ afterS: [30, 90], durationS: 4 });
});
