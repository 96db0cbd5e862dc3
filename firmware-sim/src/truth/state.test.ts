import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS, MINUTE_MS } from '#shared/units.ts';
import { parseScenario } from '../scenario/scenario.ts';
import { smallScenario, smallText } from '../testing/small-scenario.ts';
import { openState } from './state.ts';

const NOW = Date.UTC(2026, 2, 2, 10, 0, 30);
const STARTED_AT = NOW - (NOW % MINUTE_MS);
const scenario = smallScenario();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'state-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a new world begins its history before the minute of its start', async () => {
  const historyFrom = STARTED_AT - 2 * DAY_MS;
  expect(await openState({ dir, scenario, now: NOW, historyDays: 2 })).toMatchObject({
    scenario: 'small',
    startedAt: STARTED_AT,
    historyFrom,
    truthTo: historyFrom,
  });
});

test('a known world goes on as it began', async () => {
  const first = await openState({ dir, scenario, now: NOW, historyDays: 2 });
  expect(await openState({ dir, scenario, now: NOW + DAY_MS, historyDays: 0 })).toEqual(first);
});

test.each(['', '{"scenario":"small"', '{"scenario":"small"}', '[]'])(
  'a corrupt state %j is set aside and told in one line',
  async (text) => {
    const file = join(dir, 'state.json');
    writeFileSync(file, text);
    const failure = openState({ dir, scenario, now: NOW, historyDays: 2 });
    await expect(failure).rejects.toThrow(/^[^\n]*state\.json[^\n]*set aside as [^\n]*$/);
    const [aside = ''] = readdirSync(dir);
    expect(readFileSync(join(dir, aside), 'utf8')).toBe(text);
    const anew = await openState({ dir, scenario, now: NOW, historyDays: 2 });
    expect(anew).toMatchObject({ startedAt: STARTED_AT, truthTo: STARTED_AT - 2 * DAY_MS });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(anew);
  },
);

test('a new world does not continue the truth of an old one', async () => {
  writeFileSync(join(dir, 'truth.jsonl'), 'old');
  await openState({ dir, scenario, now: NOW, historyDays: 2 });
  const [state, aside = ''] = readdirSync(dir).sort();
  expect([state, aside]).toEqual(['state.json', expect.stringMatching(/^truth\.jsonl\..*aside$/)]);
  expect(readFileSync(join(dir, aside), 'utf8')).toBe('old');
});

test('another port is the same world, another seed is not', async () => {
  const first = await openState({ dir, scenario, now: NOW, historyDays: 2 });
  const moved = parseScenario('small.yaml', smallText().replace('port: 0', 'port: 5000'));
  const later = { dir, now: NOW + DAY_MS, historyDays: 0 };
  expect(await openState({ ...later, scenario: moved })).toEqual(first);
  const other = parseScenario('small.yaml', smallText().replace('seed: 1', 'seed: 2'));
  await expect(openState({ ...later, scenario: other })).rejects.toThrow('another seed');
});
