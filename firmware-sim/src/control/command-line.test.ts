import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '#shared/failure.ts';
import { createLog } from '#shared/log.ts';
import { freePort } from '#shared/testing/ports.ts';
import { startSimulator, type RunningSimulator } from '../run.ts';
import { parseScenario } from '../scenario/scenario.ts';
import { smallText } from '../testing/small-scenario.ts';
import { controlCommand } from './command-line.ts';
import { openPanel, type Panel } from './http.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A frozen clock, no noise, and nobody picks: figures stand still. */
const clock = { wallMs: () => Date.UTC(2026, 2, 4, 10), monotonicMs: () => performance.now() };
let simulator: RunningSimulator;
let panel: Panel;
beforeAll(async () => {
  const text = smallText()
    // An almost empty scale can be zeroed.
    .replace('initial: 500', 'initial: 0')
    .replace('tareMg: 620000', 'tareMg: 100000')
    .replaceAll(/noiseMg: \d+/g, 'noiseMg: 0')
    .replaceAll(/driftMgPerSqrtH: \d+/g, 'driftMgPerSqrtH: 0');
  simulator = await startSimulator({
    scenario: parseScenario('small.yaml', text),
    stateDir: null,
    ptyDir: null,
    clock,
    log: createLog('sim', 'silent'),
  });
  panel = await openPanel(simulator.control, 0);
});
afterAll(async () => {
  await panel.close();
  await simulator.close();
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As main does it, without a process for each of the commands. */
async function run(...args: string[]): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const command = controlCommand({ print: (line) => (stdout += `${line}\n`) });
  for (const each of [command, ...command.commands]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => (stdout += text),
      writeErr: (text) => (stderr += text),
    });
  }
  try {
    await command.parseAsync(args, { from: 'user' });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode, stdout, stderr };
    if (error instanceof Failure) return { code: 1, stdout, stderr: `${error.message}\n` };
    throw error;
  }
}

const inProcess = (...args: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, 'ctl', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
const ctl = (...args: string[]): Promise<Outcome> =>
  run('--panel', new URL(panel.url).port, ...args);

/** Runs a command that has to succeed; @returns its lines */
async function lines(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await ctl(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.split('\n').slice(0, -1);
}

describe('commands', () => {
  test('list names bins with what is there and what is shown, and links with their faults', async () => {
    expect(await lines('list')).toEqual([
      'workshop-washers  workshop/tcp unit 1  2000 piece   gross 4351.2 g  net 4351.2 g  stable',
      'workshop-clamps   workshop/rtu unit 7  0 piece      gross 100 g     net 100 g     stable',
      'workshop-sand     workshop/sics        90000000 mg  gross 96200 g   net 96200 g   stable',
    ]);
    const [tcp, rtu] = await lines('list', '--links');
    expect(tcp).toMatch(
      /^workshop\/tcp {2}modbus-tcp {2}127\.0\.0\.1:\d+ {2}no-answer .*bad-length/,
    );
    expect(rtu).toContain('wrong-crc');
  });

  test('put and take move goods, show what came of it, and say how to undo it', async () => {
    const put = await lines('put', 'workshop-sand', '500000');
    expect(put[0]).toMatch(/^workshop-sand .* 90500000 mg /);
    expect(put[1]).toBe('undo with: take workshop-sand 500000');
    const take = await lines('take', 'workshop-sand', '500000');
    expect(take[0]).toMatch(/ 90000000 mg /);
    expect(take[1]).toBe('undo with: put workshop-sand 500000');
  });

  test('tare, clear-tare and zero press the keys', async () => {
    expect(await lines('tare', 'workshop-clamps')).toEqual([expect.stringMatching(/net 0 g/)]);
    expect(await lines('clear-tare', 'workshop-clamps')).toEqual([
      expect.stringMatching(/net 100 g/),
    ]);
    expect(await ctl('zero', 'workshop-sand')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'the weight is above the range of this key\n',
    });
    const zero = await lines('zero', 'workshop-clamps');
    expect(zero).toEqual([expect.stringMatching(/gross 0 g .*stable$/)]);
  });

  test('fault injects and prints its id, list shows it, clear ends it', async () => {
    const [id = ''] = await lines(
      'fault',
      'workshop/tcp',
      'exception',
      '--code',
      '6',
      '--unit',
      '1',
    );
    expect(id).toBe('workshop/tcp#1');
    await lines(
      'fault',
      'rtu',
      'no-answer',
      '--after',
      '0',
      '--duration',
      '60',
      '--probability',
      '0.5',
    );
    const listed = (await lines('list')).filter((line) => line.startsWith('fault'));
    expect(listed).toEqual([
      'fault workshop/tcp#1  exception  unit 1  injected 0  active',
      'fault workshop/rtu#1  no-answer  injected 0  active',
    ]);
    const rtu = simulator.control.faults().find(({ link }) => link === 'rtu');
    expect(rtu?.rule).toMatchObject({ afterS: 0, durationS: 60, probability: 0.5 });
    expect(await lines('clear', id)).toEqual(['cleared 1']);
    expect(await lines('clear')).toEqual(['cleared 1']);
    expect(simulator.control.faults()).toEqual([]);
  });

  test('frames tells the newest bytes and what they mean', async () => {
    const port = simulator.links.find(({ link }) => link === 'tcp')?.port ?? 0;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(Buffer.from('000100000006010400000005', 'hex'));
    await once(socket, 'data');
    socket.destroy();
    const [request, answer] = await lines('frames', '--link', 'workshop/tcp', '--limit', '2');
    expect(request).toContain(
      'request  00 01 00 00 00 06 01 04 00 00 00 05  transaction 1, unit 1,',
    );
    expect(answer).toContain('answer   00 01 00 00 00 0d 01 04 0a 00 00');
    expect(answer).toContain('address 0 (30001), values 0 ');
    expect(await lines('frames', '--link', 'workshop/sics')).toEqual([]);
  });

  test('help names every command, and is given for each', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    const all = ['list', 'put', 'take', 'tare', 'zero', 'clear-tare', 'fault', 'clear', 'frames'];
    for (const name of all) expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    const { stdout: fault } = await run('fault', '--help');
    expect(fault).toMatch(/no-answer, late-answer,[^]*--unit[^]*--probability/);
  });
});

describe('what cannot be done is one line and status 1', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown bin', ['put', 'none', '1'], /^there is no such bin; `list` /],
    ['too much taken', ['take', 'workshop-washers', '9999'], /^there is not that much in the bin$/],
    ['no number', ['put', 'workshop-washers', 'ten'], /'ten' is invalid .* a whole number$/],
    [
      'a piece and a half',
      ['put', 'workshop-washers', '1.5'],
      /'1.5' is invalid .* a whole number$/,
    ],
    ['nothing', ['put', 'workshop-washers', '0'], /^quantity: .*>=1$/],
    ['an unknown kind', ['fault', 'workshop/tcp', 'smoke'], /^kind: .*"no-answer"/],
    ['an unknown link', ['fault', 'nowhere', 'reset'], /^there is no such link/],
    [
      'a kind of another protocol',
      ['fault', 'workshop/tcp', 'wrong-crc'],
      /^this fault cannot happen/,
    ],
    [
      'an unknown unit',
      ['fault', 'workshop/tcp', 'reset', '--unit', '9'],
      /^there is no such unit/,
    ],
    [
      'more than always',
      ['fault', 'workshop/tcp', 'reset', '--probability', '2'],
      /^probability: /,
    ],
    ['no duration', ['fault', 'workshop/tcp', 'reset', '--duration', '0'], /a number above 0$/],
    ['an unknown fault', ['clear', 'workshop/tcp#99'], /^there is no such fault; /],
    ['frames of an unknown link', ['frames', '--link', 'nowhere'], /^there is no such link/],
    ['too many frames', ['frames', '--limit', '9999'], /^limit: .*<=500$/],
    ['an unknown command', ['smash'], /^error: unknown command 'smash'$/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await ctl(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a simulator that is not there', async () => {
    const port = String(await freePort());
    expect(await inProcess('--panel', port, 'list')).toEqual({
      code: 1,
      stdout: '',
      stderr: `no simulator at 127.0.0.1:${port}: start one with --panel ${port}\n`,
    });
  });

  test('a panel that is not named', async () => {
    const { code, stderr } = await run('list');
    expect(code).toBe(1);
    expect(stderr).toBe("error: required option '--panel <port>' not specified\n");
  });

  test('the program itself ends as its commands do', async () => {
    const { port } = new URL(panel.url);
    expect(await inProcess('--panel', port, 'list')).toEqual(await ctl('list'));
    for (const args of [['put', 'none', '1'], ['smash'], ['put', 'none', 'ten']]) {
      expect(await inProcess('--panel', port, ...args)).toEqual(await ctl(...args));
    }
  });
});
