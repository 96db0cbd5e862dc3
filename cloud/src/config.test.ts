import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from '#shared/config-file.ts';
import { loadConfig } from './config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offtake-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(text: string): string {
  const file = join(folder, 'cloud.yaml');
  writeFileSync(file, text);
  return file;
}

test('the example is a valid configuration, and its data lie beside it', () => {
  const example = readFileSync(join(import.meta.dirname, '..', 'cloud.example.yaml'), 'utf8');
  expect(loadConfig(write(example))).toEqual({
    profile: 'embedded',
    dataDir: join(folder, 'data/cloud'),
    http: { host: '127.0.0.1', port: 8080 },
    broker: { host: '127.0.0.1', port: 1883 },
    log: 'info',
  });
});

test('all faults are told at once, each with its line', () => {
  const file = write('profile: cluster\ndataDir: data\nhttp: { port: 70000 }\ncolour: red\n');
  expect(() => loadConfig(file)).toThrow(ConfigError);
  expect(() => loadConfig(file)).toThrow(
    [
      `${file}:1: profile: is "cluster"; expected embedded`,
      `${file}:3: http.port: is 70000; expected at most 65535`,
      `${file}:4: colour: is "red"; expected no such key`,
    ].join('\n'),
  );
});

test('a file that is not there is told in one line', () => {
  expect(() => loadConfig(join(folder, 'none.yaml'))).toThrow(/none\.yaml: ENOENT/);
});
