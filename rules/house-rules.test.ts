import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RULES, type Source } from './house-rules.ts';

const ROOT = join(import.meta.dirname, '..');
const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.tsx'], {
  cwd: ROOT,
  encoding: 'utf8',
});
const sources: Source[] = listed
  .split('\n')
  .filter((path) => path !== '' && !path.startsWith('rules/'))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

describe.each(RULES)('$name', (rule) => {
  test('holds in every file', () => {
    const violations = sources.flatMap((source) =>
      rule.check(source).map((what) => `${source.path} ${what} (${rule.why})`),
    );
    expect(violations).toEqual([]);
  });

  test('finds its fixture', () => {
    expect(rule.check(rule.fixture)).not.toEqual([]);
  });
});

test('the rules look at the whole repository', () => {
  expect(sources.length).toBeGreaterThan(20);
});
