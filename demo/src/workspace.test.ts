import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Workspace } from './workspace.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'offtake-workspace-'))));
afterEach(() => rmSync(folder, { recursive: true }));

test('only a whole recording is a history', () => {
  const workspace = new Workspace(folder);
  mkdirSync(workspace.path('recordings'));
  writeFileSync(`${workspace.recording('acme')}.tmp`, 'the first half\n');
  expect(workspace.hasHistory('acme')).toBe(false);
  writeFileSync(workspace.recording('acme'), 'all of it\n');
  expect(workspace.hasHistory('acme')).toBe(true);
});

test('what an agent took over stays its history when the recording is gone', () => {
  const workspace = new Workspace(folder);
  workspace.state.backfilled.push('acme');
  workspace.save();
  expect(new Workspace(folder).hasHistory('acme')).toBe(true);
});

test('a damaged state is told with what to do, and is left as it is', () => {
  writeFileSync(join(folder, 'demo.json'), '{');
  expect(() => new Workspace(folder)).toThrow(`is damaged; remove ${folder} to begin anew`);
});
