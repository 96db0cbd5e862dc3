import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '#shared/log.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { encodeRtu } from '../modbus/rtu.ts';
import { startSimulator, type RunningSimulator } from '../run.ts';
import { smallScenario } from '../testing/small-scenario.ts';

const run = promisify(execFile);
const hasMbpoll = requireProgram('mbpoll');
const hasSocat = requireProgram('socat');

/** A frozen clock: nothing moves, so every answer is known. */
const NOW = Date.UTC(2026, 2, 4, 10);
const clock = { wallMs: () => NOW, monotonicMs: () => performance.now() };
const folder = mkdtempSync(join(tmpdir(), 'pty-'));
const start = (scenario = smallScenario(), ptyDir: string | null = null) =>
  startSimulator({ scenario, stateDir: null, ptyDir, clock, log: createLog('sim', 'silent') });

let simulator: RunningSimulator;
beforeAll(async () => {
  simulator = await start(smallScenario(), hasSocat ? folder : null);
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function link(name: string) {
  const found = simulator.links.find((candidate) => candidate.link === name);
  if (!found) throw new Error(`no link ${name}`);
  return found;
}

async function client(name: string): Promise<Socket> {
  const socket = connect({ port: link(name).port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** The next `bytes` bytes from a link. */
async function receive(socket: Socket, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  while (parts.reduce((sum, part) => sum + part.length, 0) < bytes) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function exchange(socket: Socket, request: Buffer, bytes: number): Promise<Buffer> {
  const answer = receive(socket, bytes);
  socket.write(request);
  return answer;
}

const TCP_REQUEST = Buffer.from('000100000006010400000005', 'hex');
const TCP_BYTES = 9 + 10;
const RTU_REQUEST = encodeRtu({ unit: 7, pdu: Buffer.from('0300000003', 'hex') });
const RTU_BYTES = 5 + 6;

/** The washers: 350 g and 2000 pieces of 2 g, in counts of 0.1 g, and stable. */
function expectWashers(registers: Buffer): void {
  expect(registers.readUInt32BE(0)).toBeGreaterThan(43_400);
  expect(registers.readUInt32BE(0)).toBeLessThan(43_600);
  expect(registers.readUInt32BE(4)).toBe(registers.readUInt32BE(0));
  expect(registers.readUInt16BE(8)).toBe(0b100);
}

describe('Modbus TCP', () => {
  test('a request split at any byte is answered', async () => {
    const socket = await client('tcp');
    for (let cut = 1; cut < TCP_REQUEST.length; cut += 1) {
      const answer = receive(socket, TCP_BYTES);
      socket.write(TCP_REQUEST.subarray(0, cut));
      await new Promise(setImmediate);
      socket.write(TCP_REQUEST.subarray(cut));
      expectWashers((await answer).subarray(9));
    }
    socket.destroy();
  });

  test('two requests in one segment get two answers under their own transactions', async () => {
    const socket = await client('tcp');
    const second = Buffer.from(TCP_REQUEST);
    second.writeUInt16BE(2, 0);
    const answers = await exchange(socket, Buffer.concat([TCP_REQUEST, second]), 2 * TCP_BYTES);
    expect([answers.readUInt16BE(0), answers.readUInt16BE(TCP_BYTES)]).toEqual([1, 2]);
    socket.destroy();
  });

  test('a unit that is not there is exception 0x0B', async () => {
    const socket = await client('tcp');
    const request = Buffer.from(TCP_REQUEST);
    request.writeUInt8(2, 6);
    expect((await exchange(socket, request, 9)).subarray(6)).toEqual(Buffer.from([2, 0x84, 0x0b]));
    socket.destroy();
  });

  test('what is no Modbus ends the connection, and a client that resets harms no other', async () => {
    const [good, bad, rude] = [await client('tcp'), await client('tcp'), await client('tcp')];
    const closed = once(bad, 'close');
    bad.resume();
    bad.write('GET / HTTP/1.1\r\n\r\n');
    rude.write(TCP_REQUEST);
    rude.resetAndDestroy();
    await closed;
    expectWashers((await exchange(good, TCP_REQUEST, TCP_BYTES)).subarray(9));
    good.destroy();
  });
});

describe('Modbus RTU over TCP', () => {
  test('a request split at any byte is answered', async () => {
    const socket = await client('rtu');
    for (let cut = 1; cut < RTU_REQUEST.length; cut += 1) {
      const answer = receive(socket, RTU_BYTES);
      socket.write(RTU_REQUEST.subarray(0, cut));
      await new Promise(setImmediate);
      socket.write(RTU_REQUEST.subarray(cut));
      expect((await answer).subarray(0, 3)).toEqual(Buffer.from([7, 3, 6]));
    }
    socket.destroy();
  });

  test('another unit, a broadcast and a broken CRC get silence', async () => {
    const socket = await client('rtu');
    const pdu = Buffer.from('0300000003', 'hex');
    const other = encodeRtu({ unit: 8, pdu });
    const broadcast = encodeRtu({ unit: 0, pdu: Buffer.from('0600000001', 'hex') });
    const answer = await exchange(
      socket,
      Buffer.concat([other, broadcast, RTU_REQUEST]),
      RTU_BYTES,
    );
    expect(answer).toHaveLength(RTU_BYTES);
    expect(answer[0]).toBe(7);
    const broken = Buffer.from(RTU_REQUEST);
    broken.writeUInt8(broken.readUInt8(6) ^ 1, 6);
    socket.write(broken);
    // Answers come in order: if the broken one had one, it would come before this exception.
    const unknown = encodeRtu({ unit: 7, pdu: Buffer.from('2b0e0100', 'hex') });
    const later = await client('rtu');
    expect(await exchange(later, unknown, 5)).toEqual(
      encodeRtu({ unit: 7, pdu: Buffer.from('ab01', 'hex') }),
    );
    expect(socket.bytesRead).toBe(RTU_BYTES);
    socket.destroy();
    later.destroy();
  });
});

describe('MT-SICS', () => {
  test('commands are answered in order, however they are cut', async () => {
    const socket = await client('sics');
    socket.setEncoding('latin1');
    const commands = 'SI\r\nS\r\n\r\nFOO\nTA\r\n';
    let text = '';
    socket.on('data', (part) => {
      text += String(part);
    });
    for (const character of commands) {
      socket.write(character);
      await new Promise(setImmediate);
    }
    while (text.split('\r\n').length < 5) await once(socket, 'data');
    expect(text).toMatch(
      /^S S {6}96\.\d\d kg\r\nS S {6}96\.\d\d kg\r\nES\r\nTA A {7}0\.00 kg\r\n$/,
    );
    socket.destroy();
  });

  test('SIR repeats until the next command', async () => {
    const socket = await client('sics');
    const line = 'S S      96.22 kg\r\n'.length;
    expect((await exchange(socket, Buffer.from('SIR\r\n'), 3 * line)).length).toBeGreaterThan(line);
    let text = '';
    socket.on('data', (part) => {
      text += String(part);
    });
    socket.write('@\r\n');
    while (!text.endsWith('"\r\n')) await once(socket, 'data');
    expect(text).toMatch(/I4 A "workshop-sand"\r\n$/);
    socket.destroy();
  });

  test('a line without end is refused, not kept', async () => {
    const socket = await client('sics');
    const answer = await exchange(socket, Buffer.from(`${'S'.repeat(2_000)}\r\n`), 4);
    expect(answer.toString()).toBe('ES\r\n');
    socket.destroy();
  });
});

describe.skipIf(!hasMbpoll)('mbpoll, a client of its own', () => {
  test('reads gross, net and status over TCP', async () => {
    const args = ['-m', 'tcp', '-p', String(link('tcp').port), '-a', '1', '-t', '3', '-r', '1'];
    const { stdout } = await run('mbpoll', [...args, '-c', '5', '-1', '127.0.0.1']);
    const values = [...stdout.matchAll(/^\[\d\]:\s+(\d+)/gm)].map((match) => Number(match[1]));
    const registers = Buffer.alloc(10);
    values.forEach((value, i) => registers.writeUInt16BE(value, 2 * i));
    expect(values).toHaveLength(5);
    expectWashers(registers);
  });

  test('is told an illegal address', async () => {
    const args = ['-m', 'tcp', '-p', String(link('tcp').port), '-a', '1', '-t', '3', '-r', '2'];
    await expect(run('mbpoll', [...args, '-c', '5', '-1', '127.0.0.1'])).rejects.toMatchObject({
      stderr: expect.stringContaining('Illegal data address') as string,
    });
  });

  test.skipIf(!hasSocat)('reads over a pseudo-terminal, one client after the other', async () => {
    const path = link('rtu').path ?? '';
    for (let i = 0; i < 3; i += 1) {
      const args = ['-m', 'rtu', '-b', '9600', '-P', 'none', '-a', '7', '-t', '4:int', '-B'];
      const { stdout } = await run('mbpoll', [...args, '-r', '1', '-c', '1', '-1', path]);
      // 620 g and 500 pieces of 21 g, in grams.
      const grams = Number(/^\[1\]:\s+(\d+)/m.exec(stdout)?.[1]);
      expect(Math.abs(grams - 11_120)).toBeLessThan(30);
    }
  });
});

test('a port in use is named, and free again after closing', async () => {
  const other = await start();
  const { port = 0 } = other.links[0] ?? {};
  const scenario = smallScenario();
  const [site] = scenario.sites;
  const [first, ...rest] = site?.links ?? [];
  if (!site || !first) throw new Error('the bench scenario has a link');
  const taken = { ...scenario, sites: [{ ...site, links: [{ ...first, port }, ...rest] }] };
  await expect(start(taken)).rejects.toThrow(`workshop/tcp: port 127.0.0.1:${port} is in use`);
  await other.close();
  await other.close();
  const again = await start(taken);
  expect(again.links[0]?.port).toBe(port);
  await again.close();
});

test.skipIf(!hasSocat)('closing removes the pseudo-terminals', async () => {
  const ptyDir = join(folder, 'other');
  const other = await start(smallScenario(), ptyDir);
  expect(readdirSync(ptyDir).sort()).toEqual(['workshop-rtu', 'workshop-sics']);
  await other.close();
  expect(readdirSync(ptyDir)).toEqual([]);
});
