import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { freshFolder } from '../testing/folder.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { openLine } from './line.ts';
import { decodeAnswer } from './mt-sics-codec.ts';
import { openMtSics, type SicsScale } from './mt-sics.ts';
import type { ScaleSession } from './port.ts';

const readOf = (line: string): unknown => {
  const answer = decodeAnswer(line);
  if (answer === null) return null;
  if (answer.kind === 'weight') return answer.frame.read;
  return answer.kind === 'tare' ? { tare: answer.read } : answer;
};

describe('answers', () => {
  // The first three stand in the MT-SICS reference manual, level 0, commands S and SI.
  test.each([
    ['S S     100.00 g', { ok: true, massMg: 100_000, stable: true }],
    ['S D     129.07 g', { ok: true, massMg: 129_070, stable: false }],
    ['S S      -0.12 g', { ok: true, massMg: -120, stable: true }],
    ['S S   12.34567 kg', { ok: true, massMg: 12_345_670, stable: true }],
    ['S S       -0.0 g', { ok: true, massMg: 0, stable: true }],
    ['S S       1500 mg', { ok: true, massMg: 1_500, stable: true }],
    ['S S     100.00 lb', { ok: true, massMg: 45_359_237, stable: true }],
    ['S S     100.00 oz  ', { ok: true, massMg: 2_834_952, stable: true }],
    ['S +', { ok: false, quality: 'overload' }],
    ['S -', { ok: false, quality: 'underload' }],
    ['S I', { ok: false, quality: 'comm-error' }],
    ['S L', { ok: false, quality: 'config-error' }],
    ['S S Error   10b', { ok: false, quality: 'comm-error', why: 'the scale reports error 10b' }],
    ['ES', { kind: 'error', quality: 'config-error' }],
    ['EL', { kind: 'error', quality: 'config-error' }],
    ['ET', { kind: 'error', quality: 'comm-error' }],
    ['S S     100.00 tl', { ok: false, quality: 'config-error' }],
    ['TA A     100.00 g', { tare: { ok: true, massMg: 100_000 } }],
    ['TA I', { tare: { ok: false, quality: 'comm-error' } }],
    ['TA L', { tare: { ok: false, quality: 'config-error' } }],
  ])('%s', (line, read) => {
    expect(readOf(line)).toMatchObject(read);
  });

  test.each([
    '',
    'S',
    'S S',
    'S S  g',
    'S S      1.2.3 g',
    'S X     100.00 g',
    'S S     100.00',
    'S S    100.00 g',
    'S S      100.00 g',
    'S S     1 0.00 g',
    'S S     100.00g ',
    'S S -    10.00 g',
    'TA A    100.00 g',
    'Z A',
    'I4 A "0"',
  ])('%j is no answer', (line) => {
    expect(decodeAnswer(line)).toBeNull();
  });
});

const SCALE: SicsScale = { divisionMg: 10 };

async function open(
  address: string,
  timeoutMs: number,
  tare: 'asked' | 'locked' = 'asked',
): Promise<ScaleSession<SicsScale>> {
  const session = openMtSics(await openLine({ address, timeoutMs }), { timeoutMs, tare });
  onTestFinished(() => session.close());
  return session;
}

const weight = (grams: number, stability = 'S'): string =>
  `S ${stability} ${grams.toFixed(2).padStart(10)} g\r\n`;

/** A balance that answers `SI` in this order, at last always with its last, and `TA` by its tare. */
async function balance(
  ...weights: string[]
): Promise<{ address: string; sockets: readonly Socket[]; tare: (text: string) => void }> {
  let tare = 'TA A       0.00 g\r\n';
  const { address, sockets } = await tcpDevice((bytes, socket) => {
    for (const command of bytes.toString().trim().split('\r\n')) {
      expect(['SI', 'TA']).toContain(command);
      const isTare = command === 'TA';
      const answer = weights.length > 1 && !isTare ? weights.shift() : weights[0];
      socket.write(isTare ? tare : (answer ?? ''));
    }
  });
  return {
    address,
    sockets,
    tare: (text) => {
      tare = text;
    },
  };
}

describe('over a line', () => {
  test('asks and reads', async () => {
    const { address } = await balance(weight(100), weight(100), 'S +\r\n');
    const session = await open(address, 60_000);
    expect(await session.read(SCALE)).toEqual({ ok: true, massMg: 100_000, stable: true });
    expect(await session.read(SCALE)).toMatchObject({ quality: 'overload' });
  });

  test('passes over lines that are no answers', async () => {
    const { address } = await balance(`printout\r\n\u0000\u00ff\r\n\u0000${weight(1)}`);
    const session = await open(address, 60_000);
    expect(await session.read(SCALE)).toMatchObject({ massMg: 1_000 });
  });

  test('a tared balance shows net: its tare is added', async () => {
    const { address, tare } = await balance(weight(-20));
    tare('TA A     120.00 g\r\n');
    const session = await open(address, 60_000);
    expect(await session.read(SCALE)).toEqual({ ok: true, massMg: 100_000, stable: true });
  });

  test('a tare that is set while the scale is read gives no weight, and then the right one', async () => {
    const { address, tare } = await balance(weight(100), weight(100), weight(100), weight(0));
    const session = await open(address, 60_000);
    expect(await session.read(SCALE)).toMatchObject({ massMg: 100_000 });
    tare('TA A     100.00 g\r\n');
    expect(await session.read(SCALE)).toMatchObject({ quality: 'comm-error' });
    expect(await session.read(SCALE)).toMatchObject({ massMg: 100_000 });
  });

  test('a balance that cannot say its tare is not taken for one without', async () => {
    const { address, tare } = await balance(weight(100));
    tare('ES\r\n');
    const session = await open(address, 60_000);
    expect(await session.read(SCALE)).toEqual({
      ok: false,
      quality: 'config-error',
      why: expect.stringContaining('tare: locked'),
    });
    const locked = await open(address, 60_000, 'locked');
    expect(await locked.read(SCALE)).toMatchObject({ massMg: 100_000 });
  });

  test('a unit that lost its prefix is asked for once more', async () => {
    const kilograms = 'S S       1.50 kg\r\n';
    const { address } = await balance(
      kilograms,
      kilograms,
      kilograms.replace('kg', 'g'),
      kilograms,
    );
    const session = await open(address, 60_000, 'locked');
    expect(await session.read(SCALE)).toMatchObject({ massMg: 1_500_000 });
    expect(await session.read(SCALE)).toMatchObject({ massMg: 1_500_000 });
  });

  test('a digit that changed once is asked for again, until two agree', async () => {
    const { address } = await balance(weight(100), weight(100), weight(900), weight(100));
    const session = await open(address, 60_000, 'locked');
    for (const _ of [1, 2]) {
      expect(await session.read(SCALE)).toEqual({ ok: true, massMg: 100_000, stable: true });
    }
  });

  test('a late answer is not taken for the next one', async () => {
    const { address, sockets } = await balance('', weight(2));
    const session = await open(address, 1_000);
    await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'scale-silent' });
    const drained = session.drain();
    sockets[0]?.write(weight(1));
    await drained;
    expect(await session.read(SCALE)).toMatchObject({ massMg: 2_000 });
  });

  test('a connection that breaks ends the request at once', async () => {
    const { address } = await tcpDevice((_, socket) => socket.resetAndDestroy());
    const session = await open(address, 60_000);
    await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'link-down' });
    await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'link-down' });
  });

  test.skipIf(!requireProgram('socat'))('reads from a serial port', async () => {
    const { address } = await balance(weight(7));
    const path = join(freshFolder(), 'tty');
    const cable = spawn('socat', [`PTY,link=${path},raw,echo=0`, `TCP:${address}`]);
    const exited = once(cable, 'exit');
    onTestFinished(async () => {
      cable.kill('SIGKILL');
      await exited;
    });
    await vi.waitFor(() => expect(existsSync(path)).toBe(true), WAIT);
    const session = await open(path, 60_000);
    expect(await session.read(SCALE)).toMatchObject({ massMg: 7_000 });
  });
});
