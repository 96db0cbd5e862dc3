import { describe, expect, test } from 'vitest';
import {
  interrupted,
  judged,
  newestOf,
  NO_VERSIONS,
  proved,
  reportOf,
  tried,
  type Verdict,
} from './config-versions.ts';

const desired = (version: number) => ({ version, config: { log: 'warn' } });
const applied = (version: number) => proved(tried(NO_VERSIONS, desired(version), 1), 2);
const refusal = (version: number): Verdict => ({ version, state: 'refused', at: 3, reason: 'why' });

describe('versions of the configuration', () => {
  test('are none at first, and there is nothing to tell', () => {
    expect(newestOf(NO_VERSIONS)).toBe(0);
    expect(reportOf(NO_VERSIONS, null)).toBeNull();
  });

  test('on trial are told to be in force, then applied', () => {
    const trial = tried(applied(4), desired(5), 9);
    expect(reportOf(trial, null)).toEqual({ version: 5, state: 'trial', inForce: 5, at: 9 });
    const after = proved(trial, 10);
    expect(reportOf(after, null)).toEqual({ version: 5, state: 'applied', inForce: 5, at: 10 });
    expect(after.trial).toBeNull();
  });

  test('that did not do leave the one before in force, and are remembered', () => {
    const after = judged(tried(applied(4), desired(5), 9), refusal(5));
    expect(reportOf(after, null)).toEqual({ ...refusal(5), inForce: 4 });
    expect(newestOf(after)).toBe(5);
    expect(reportOf(proved(tried(after, desired(6), 9), 10), null)?.state).toBe('applied');
  });

  test('whose trial was cut off are rolled back, and no others', () => {
    expect(reportOf(interrupted(tried(applied(4), desired(5), 9), 11), null)).toEqual({
      version: 5,
      state: 'rolled-back',
      inForce: 4,
      at: 11,
      reason: 'the agent ended while this version was tried',
    });
    expect(interrupted(applied(4), 11)).toEqual(applied(4));
  });

  test('that are withdrawn are told so, also beside a newer one that was refused', () => {
    const withdrawn: Verdict = { version: 4, state: 'rolled-back', at: 12, reason: 'edited' };
    expect(reportOf(applied(4), withdrawn)).toEqual({ ...withdrawn, inForce: 0 });
    expect(reportOf(judged(applied(4), refusal(5)), withdrawn)).toEqual({
      ...refusal(5),
      inForce: 0,
      reason: 'why; version 4 is not in force either: edited',
    });
  });
});
