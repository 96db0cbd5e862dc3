import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';
import { freshFolder } from '../testing/folder.ts';

const UNIT = join(import.meta.dirname, '../../systemd/offtake-agent.service');

test.skipIf(!requireProgram('systemd-analyze'))('systemd finds no fault in the unit', () => {
  const file = join(freshFolder(), 'offtake-agent.service');
  // The program need not be installed here.
  const unit = readFileSync(UNIT, 'utf8');
  writeFileSync(file, unit.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], {
    encoding: 'utf8',
  });
  expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
});
