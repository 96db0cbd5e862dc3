import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOM = join(import.meta.dirname, '..');

/** Rows of a table whose last cell is `file`: name of a test. */
function testsNamed(): (readonly [file: string, name: string])[] {
  const readme = readFileSync(join(ROOM, 'README.md'), 'utf8');
  const rows = readme.matchAll(/\| `([^`]+\.test\.ts)`: (.+?) \|$/gm);
  return [...rows].map(([, file = '', name = '']) => [file, name] as const);
}

test('every pain of the field names tests that are there', () => {
  const named = testsNamed();
  expect(named.length).toBeGreaterThanOrEqual(20);
  const missing = named.filter(
    ([file, name]) => !readFileSync(join(ROOM, file), 'utf8').includes(name),
  );
  expect(missing).toEqual([]);
});
