import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '#shared/log.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { REGISTER_PROFILES, type RegisterProfile } from './devices/register-devices.ts';
import { startSimulator, type RunningSimulator } from './run.ts';
import { parseScenario } from './scenario/scenario.ts';
import { readByPymodbus, requirePymodbus, type Request } from './testing/pymodbus.ts';
import { scenarioText } from './testing/small-scenario.ts';

const run = promisify(execFile);
const hasMbpoll = requireProgram('mbpoll');
const hasSocat = requireProgram('socat');
const hasPymodbus = requirePymodbus();

/** A frozen clock and no noise: every scale stands still at 12.34 kg, 2 kg of it the container. */
const clock = { wallMs: () => Date.UTC(2026, 2, 4, 10), monotonicMs: () => performance.now() };
const scenario = parseScenario(
  'devices.yaml',
  scenarioText('devices')
    .replaceAll(/port: \d+/g, 'port: 0')
    .replaceAll(/baud: \d+/g, 'baud: 115200')
    .replaceAll('noiseMg: 3000', 'noiseMg: 0')
    .replaceAll('driftMgPerSqrtH: 1000', 'driftMgPerSqrtH: 0'),
);
const folder = mkdtempSync(join(tmpdir(), 'interop-'));

let simulator: RunningSimulator;
beforeAll(async () => {
  const ptyDir = hasSocat ? folder : null;
  const log = createLog('sim', 'silent');
  simulator = await startSimulator({ scenario, stateDir: null, ptyDir, clock, log });
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function link(name: string): { port: number; path: string } {
  const found = simulator.links.find((candidate) => candidate.link === name);
  if (!found) throw new Error(`no link ${name}`);
  return { port: found.port, path: found.path ?? '' };
}

/** Where each profile has its gross weight, and 12.34 kg there as two words. */
const COUNTS = [0, 1234];
const FLOAT = [0x4145, 0x70a4];
const GROSS: Record<RegisterProfile, readonly ['holding' | 'input', number, number[]]> = {
  'laumas-tlb': ['holding', 7, COUNTS],
  'dini-argeo-dgt': ['input', 0, COUNTS],
  pt113: ['holding', 5, COUNTS],
  'rinstrum-c500': ['input', 0, COUNTS],
  'tuna-id551pn': ['holding', 2, FLOAT],
  'siwarex-wp251': ['holding', 3008, FLOAT],
  'generic-float32': ['holding', 0, FLOAT],
  'generic-int32': ['holding', 0, COUNTS],
};
const unitOf = (profile: RegisterProfile): number => REGISTER_PROFILES.indexOf(profile) + 1;

/** What mbpoll calls the tables. */
const TABLES = { coil: '0', discrete: '1', input: '3', holding: '4' };

async function mbpoll(mode: readonly string[], request: Request, at: string): Promise<number[]> {
  const [unit, table, address, count] = request;
  const first = ['-a', String(unit), '-t', TABLES[table], '-r', String(address + 1)];
  const { stdout } = await run('mbpoll', [
    ...mode,
    ...first,
    '-c',
    String(count),
    '-1',
    '-o',
    '10',
    at,
  ]);
  return [...stdout.matchAll(/^\[\d+\]:\s+(\d+)/gm)].map((match) => Number(match[1]));
}

/** Every profile's gross, then the sensors, then a unit and an address that are not there. */
const REQUESTS: readonly Request[] = [
  ...REGISTER_PROFILES.map((profile): Request => {
    const [table, address] = GROSS[profile];
    return [unitOf(profile), table, address, 2];
  }),
  [11, 'input', 0, 3],
  [12, 'holding', 0, 2],
  [13, 'discrete', 0, 1],
  [13, 'coil', 0, 1],
  [1, 'holding', 500, 1],
];
const EXPECTED = [
  ...REGISTER_PROFILES.map((profile) => GROSS[profile][2]),
  [0, 120, 1],
  // 10.34 of 58 kg, from 4 to 20 mA.
  [6852, 178],
  [1],
  [1],
];

describe.skipIf(!hasMbpoll)('mbpoll', () => {
  const cases = EXPECTED.map((words, place) => {
    const request = REQUESTS[place];
    if (request === undefined) throw new Error('every expectation has its request');
    return { request, words, name: `${request[1]} of unit ${request[0]}` };
  });

  test.each(cases)('reads $name over TCP', async ({ request, words }) => {
    const mode = ['-m', 'tcp', '-p', String(link('tcp').port)];
    expect(await mbpoll(mode, request, '127.0.0.1')).toEqual(words);
  });

  test.skipIf(!hasSocat).each(cases)(
    'reads $name over a pseudo-terminal',
    async ({ request, words }) => {
      const mode = ['-m', 'rtu', '-b', '115200', '-P', 'none'];
      expect(await mbpoll(mode, request, link('rtu').path)).toEqual(words);
    },
  );
});

describe.skipIf(!hasPymodbus)('pymodbus', () => {
  test('reads every profile and sensor over TCP, and is told what is not there', async () => {
    const read = await readByPymodbus('tcp', String(link('tcp').port), REQUESTS);
    expect(read.slice(0, -1)).toEqual(EXPECTED);
    expect(read.at(-1)).toMatch(/exception/i);
  });

  test.skipIf(!hasSocat)('reads every profile and sensor over a pseudo-terminal', async () => {
    const read = await readByPymodbus('rtu', link('rtu').path, REQUESTS);
    expect(read.slice(0, -1)).toEqual(EXPECTED);
    expect(read.at(-1)).toMatch(/exception/i);
  });
});

/** What arrives until `pattern` is there. */
async function heard(name: string, pattern: RegExp, ask = ''): Promise<string> {
  const socket = connect({ port: link(name).port, host: '127.0.0.1' });
  let text = '';
  socket.setEncoding('latin1');
  if (ask !== '') socket.write(ask);
  while (!pattern.test(text)) {
    const [part] = (await once(socket, 'data')) as [string];
    text += part;
  }
  socket.destroy();
  return text;
}

describe('lines that send by themselves', () => {
  test.each([
    ['toledo', /(.,0 001234000000\r.){3}/s],
    ['a-and-d', /(ST,\+00012\.34 kg\r\n){3}/],
    ['cas', /(ST,GS,1\xc4,00012\.34 kg\r\n){3}/],
    ['ohaus', /( {4}12\.34 kg {4}G {2}\r\n){3}/],
    ['sbi', /(\+ {4}12\.34 kg \r\n){3}/],
  ])('%s sends one frame after the other', async (name, pattern) => {
    expect(await heard(name, pattern)).toMatch(pattern);
  });

  test('and answer when asked', async () => {
    expect(await heard('a-and-d', /\?\r\n/, 'XYZ\r\n')).toContain('?\r\n');
    expect(await heard('sics', /kg\r\n/, 'SI\r\n')).toBe('S S      12.34 kg\r\n');
  });
});
