import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS, MINUTE_MS } from '#shared/units.ts';
import { parseScenario } from '../scenario/scenario.ts';
import { smallScenario, smallText } from '../testing/small-scenario.ts';
import { openState } from './state.ts';

const NOW = Date.UTC(2026, 2, 2, 10, 0, 30);
const scenario = smallScenario();
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'state-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a new world begins its history before the minute of its start', async () => {
  const startedAt = NOW - (NOW % MINUTE_MS);
  const historyFrom = startedAt - 2 * DAY_MS;
  expect(await openState({ dir, scenario, now: NOW, historyDays: 2 })).toMatchObject({
    scenario: 'small',
    startedAt,
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
    await expect(openState({ dir, scenario, now: NOW, historyDays: 2 })).resolves.toBeDefined();
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
  await openState({ dir, scenario, now: NOW, historyDays: 2 });
  const moved = parseScenario('small.yaml', smallText().replace('port: 0', 'port: 5000'));
  await expect(
    openState({ dir, scenario: moved, now: NOW, historyDays: 0 }),
  ).resolves.toBeDefined();
  const other = parseScenario('small.yaml', smallText().replace('seed: 1', 'seed: 2'));
  await expect(openState({ dir, scenario: other, now: NOW, historyDays: 0 })).rejects.toThrow(
    'another seed',
  );
});
