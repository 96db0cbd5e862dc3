import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';

const FOLDER = join(import.meta.dirname, '../..');

test.skipIf(!requireProgram('docker-compose'))('docker-compose finds no fault in its file', () => {
  const file = join(FOLDER, 'docker-compose.yml');
  const { status, stderr } = spawnSync('docker-compose', ['-f', file, 'config', '--quiet'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('the container runs as nobody special, and is asked through the status', () => {
  const dockerfile = readFileSync(join(FOLDER, 'Dockerfile'), 'utf8');
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(dockerfile).toMatch(
    /^HEALTHCHECK [^\n]*\n\s+CMD \["node", "edge-agent\/src\/main\.ts", "status"/m,
  );
});
