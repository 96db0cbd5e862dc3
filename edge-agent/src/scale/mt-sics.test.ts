import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';
import { freshFolder } from '../testing/folder.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { decodeAnswer, LineReader } from './mt-sics-codec.ts';
import { mtSicsDriver } from './mt-sics.ts';
import type { ScaleSession } from './port.ts';

describe('answers', () => {
  // The first three stand in the MT-SICS reference manual, level 0, commands S and SI.
  test.each([
    ['S S     100.00 g', { ok: true, massMg: 100_000, stable: true }],
    ['S D     129.07 g', { ok: true, massMg: 129_070, stable: false }],
    ['S S      -0.12 g', { ok: true, massMg: -120, stable: true }],
    ['S S   12.34567 kg', { ok: true, massMg: 12_345_670, stable: true }],
    ['S S       -0.0 g', { ok: true, massMg: 0, stable: true }],
    ['S S       1500 mg', { ok: true, massMg: 1_500, stable: true }],
    ['S +', { ok: false, quality: 'overload' }],
    ['S -', { ok: false, quality: 'underload' }],
    ['S I', { ok: false, quality: 'comm-error' }],
    ['ES', { ok: false, quality: 'config-error' }],
    ['EL', { ok: false, quality: 'config-error' }],
    ['ET', { ok: false, quality: 'comm-error' }],
    ['S S     100.00 lb', { ok: false, quality: 'config-error' }],
  ])('%s', (line, read) => {
    expect(decodeAnswer(line)).toMatchObject(read);
  });

  test.each(['', 'S', 'S S', 'S S  g', 'S S 1.2.3 g', 'S X 1 g', 'Z A', 'S S 100.00', 'I4 A "0"'])(
    '%j is no answer',
    (line) => {
      expect(decodeAnswer(line)).toBeNull();
    },
  );

  test('whatever a line says, a weight is a whole number of mg', () => {
    const part = fc.constantFrom(
      'S',
      'S ',
      ' ',
      'D',
      '+',
      '-',
      '1',
      '.',
      '9999999999',
      'g',
      'kg',
      'E',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part).map((p) => p.join('')),
          fc.string(),
        ),
        (line) => {
          const read = decodeAnswer(line);
          if (read?.ok === true) expect(Number.isSafeInteger(read.massMg)).toBe(true);
        },
      ),
    );
  });
});

describe('lines', () => {
  test('however the bytes are split, the lines are the same', () => {
    const text = 'S S     100.00 g\r\nS D       1.00 g\r\n\r\nS I\r\n';
    const bytes = Buffer.from(text, 'latin1');
    const lines = text.split('\r\n').slice(0, -1);
    for (let first = 0; first <= bytes.length; first += 1) {
      for (let second = first; second <= bytes.length; second += 1) {
        const reader = new LineReader();
        const parts = [
          bytes.subarray(0, first),
          bytes.subarray(first, second),
          bytes.subarray(second),
        ];
        expect(parts.flatMap((part) => reader.push(part))).toEqual(lines);
      }
    }
  });

  test('noise without a line’s end does not pile up, and the next line is read', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const reader = new LineReader();
        for (const chunk of chunks) reader.push(chunk);
        reader.push(Buffer.from('\r\n'));
        expect(reader.push(Buffer.from('S I\r\n'))).toEqual(['S I']);
      }),
    );
  });
});

async function open(address: string, timeoutMs: number): Promise<ScaleSession<unknown>> {
  const session = await mtSicsDriver({ address, timeoutMs }).open();
  onTestFinished(() => session.close());
  return session;
}

const answering = (
  ...answers: string[]
): Promise<{ address: string; sockets: readonly Socket[] }> =>
  tcpDevice((bytes, socket) => {
    expect(bytes.toString()).toBe('SI\r\n');
    socket.write(answers.shift() ?? '');
  });

describe('over a line', () => {
  test('asks and reads', async () => {
    const { address } = await answering('S S     100.00 g\r\n', 'S +\r\n');
    const session = await open(address, 2_000);
    expect(await session.read(null)).toEqual({ ok: true, massMg: 100_000, stable: true });
    expect(await session.read(null)).toMatchObject({ quality: 'overload' });
  });

  test('passes over lines that are no answers', async () => {
    const { address } = await answering('printout\r\n\u0000\u00ff\r\nS S 1 g\r\n');
    const session = await open(address, 2_000);
    expect(await session.read(null)).toMatchObject({ massMg: 1_000 });
  });

  test('a late answer is not taken for the next one', async () => {
    const { address, sockets } = await answering('', 'S S 2 g\r\n');
    const session = await open(address, 100);
    await expect(session.read(null)).rejects.toMatchObject({ code: 'scale-silent' });
    const drained = session.drain();
    sockets[0]?.write('S S 1 g\r\n');
    await drained;
    expect(await session.read(null)).toMatchObject({ massMg: 2_000 });
  });

  test('a connection that breaks ends the request at once', async () => {
    const { address } = await tcpDevice((_, socket) => socket.resetAndDestroy());
    const session = await open(address, 20_000);
    await expect(session.read(null)).rejects.toMatchObject({ code: 'link-down' });
    await expect(session.read(null)).rejects.toMatchObject({ code: 'link-down' });
  });

  test.skipIf(!requireProgram('socat'))('reads from a serial port', async () => {
    const { address } = await answering('S S 7 g\r\n');
    const path = join(freshFolder(), 'tty');
    const cable = spawn('socat', [`PTY,link=${path},raw,echo=0`, `TCP:${address}`]);
    const exited = once(cable, 'exit');
    onTestFinished(async () => {
      cable.kill('SIGKILL');
      await exited;
    });
    await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 5_000 });
    const session = await open(path, 2_000);
    expect(await session.read(null)).toMatchObject({ massMg: 7_000 });
  });
});
