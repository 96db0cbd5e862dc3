import { expect, test } from 'vitest';
import { CONFIG_STATES } from '#shared/wire/config.ts';
import { nextVersion, stateOf, wordsOf } from './state.ts';

const said = (version: number, state: (typeof CONFIG_STATES)[number], inForce: number) => ({
  version,
  state,
  inForce,
});

test('an agent that nothing is wanted of runs by its local file', () => {
  expect(stateOf(0, null)).toBe('local');
  expect(wordsOf(0, null)).toContain('local file alone');
});

test('a version waits until the agent has seen it', () => {
  expect(stateOf(1, null)).toBe('waiting');
  expect(stateOf(3, said(2, 'applied', 2))).toBe('waiting');
  expect(wordsOf(3, said(2, 'applied', 2))).toBe(
    'Version 3 waits for the agent, which as far as is known runs by version 2.',
  );
});

test.each(CONFIG_STATES)('of the newest version counts what the agent says: %s', (state) => {
  expect(stateOf(3, said(3, state, 2))).toBe(state);
  expect(wordsOf(3, said(3, state, 2))).toContain('version 3'.slice(1));
});

test('the next version is newer than any the agent has seen, also after a restored backup', () => {
  expect(stateOf(2, said(7, 'applied', 7))).toBe('ahead');
  expect(stateOf(0, said(7, 'applied', 7))).toBe('ahead');
  expect(nextVersion(2, said(7, 'applied', 7))).toBe(8);
  expect(nextVersion(7, said(2, 'refused', 1))).toBe(8);
  expect(nextVersion(0, null)).toBe(1);
});
