import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { toledoBytes, withChecksum } from '../testing/ascii-frames.ts';
import { freshFolder } from '../testing/folder.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { asciiDriver, type AsciiScale } from './ascii.ts';
import { asciiLinks, type AsciiLink } from './ascii-config.ts';
import type { ScaleSession } from './port.ts';

const SCALE: AsciiScale = { divisionMg: 1_000 };
const SLOW_MS = 60_000;

/** Opens a line as the configuration would. */
async function open(
  link: { protocol: AsciiLink['protocol']; address: string; timeoutMs: number } & object,
): Promise<ScaleSession<AsciiScale>> {
  const schema = asciiLinks.find(({ shape }) => shape.protocol.value === link.protocol);
  const scales = [{ bin: 'a1', divisionMg: 1_000 }];
  const parsed = schema?.parse({ name: 'one', scales, ...link });
  if (parsed === undefined) throw new Error('no such protocol');
  const session = await asciiDriver(parsed).open();
  onTestFinished(() => session.close());
  return session;
}

const text = (grams: number, header = 'ST,GS'): string =>
  `${header},${grams < 0 ? '-' : '+'}${(Math.abs(grams) / 1_000).toFixed(3).padStart(7, '0')}kg\r\n`;

interface Stream {
  readonly address: string;
  /** Sends it once a turn from now on; nothing where it is `null`. */
  readonly show: (...frames: (string | Uint8Array | null)[]) => void;
  readonly sockets: readonly Socket[];
}

/** A scale that sends by itself, a hundred times a second, one frame after the other. */
async function stream(): Promise<Stream> {
  let frames: readonly (string | Uint8Array | null)[] = [];
  let turn = 0;
  const { address, sockets } = await tcpDevice(() => undefined);
  const timer = setInterval(() => {
    const frame = frames[turn % frames.length] ?? null;
    turn += 1;
    if (frame === null) return;
    for (const socket of sockets) {
      if (!socket.destroyed) socket.write(typeof frame === 'string' ? Buffer.from(frame) : frame);
    }
  }, 10);
  onTestFinished(() => clearInterval(timer));
  return {
    address,
    sockets,
    show: (...next) => {
      frames = next;
    },
  };
}

describe('a scale that sends by itself', () => {
  test('is read at its newest frame', async () => {
    const { address, show } = await stream();
    const session = await open({ protocol: 'a-and-d', address, timeoutMs: SLOW_MS });
    show(text(1_000));
    expect(await session.read(SCALE)).toEqual({ ok: true, massMg: 1_000_000, stable: true });
    show(text(2_000));
    await vi.waitFor(async () => {
      expect(await session.read(SCALE)).toMatchObject({ massMg: 2_000_000 });
    }, WAIT);
  });

  test('a stream that stands still is a silent scale, not its old weight', async () => {
    const { address, show } = await stream();
    const session = await open({ protocol: 'a-and-d', address, timeoutMs: 300 });
    show(text(1_000));
    await vi.waitFor(
      async () => expect(await session.read(SCALE)).toMatchObject({ ok: true }),
      WAIT,
    );
    show(null);
    await vi.waitFor(async () => {
      await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'scale-silent' });
    }, WAIT);
    await session.drain();
    await expect(session.read(SCALE)).rejects.toMatchObject({
      message: 'no answer within 300 ms',
    });
  });

  test('what waited in a device server since yesterday is not read', async () => {
    const { address, show, sockets } = await stream();
    const session = await open({ protocol: 'a-and-d', address, timeoutMs: SLOW_MS });
    const reading = session.read(SCALE);
    await vi.waitFor(() => expect(sockets).toHaveLength(1), WAIT);
    sockets[0]?.write(text(7_000).repeat(200));
    show(text(1_000));
    expect(await reading).toMatchObject({ massMg: 1_000_000 });
  });

  test('two frames that contradict each other are both discarded', async () => {
    const { address, show } = await stream();
    const session = await open({ protocol: 'a-and-d', address, timeoutMs: 1_000 });
    for (const frames of [
      [text(1_000), text(9_000)],
      [text(1_000), text(1_000).replace('kg', ' g')],
      [text(1_000), text(1_000, 'OL,GS')],
    ]) {
      show(...frames);
      await vi.waitFor(async () => {
        const read = await session.read(SCALE);
        expect(read).toMatchObject({ quality: 'comm-error' });
        expect(read).toHaveProperty('why', expect.stringContaining('contradicts itself'));
      }, WAIT);
    }
    show(text(1_000), text(1_002));
    await vi.waitFor(
      async () => expect(await session.read(SCALE)).toMatchObject({ ok: true }),
      WAIT,
    );
  });

  test('a stream slower than the deadline says so', async () => {
    const { address, sockets } = await stream();
    const session = await open({ protocol: 'a-and-d', address, timeoutMs: 1_000 });
    await vi.waitFor(() => expect(sockets).toHaveLength(1), WAIT);
    const reading = session.read(SCALE);
    sockets[0]?.write(text(1_000));
    expect(await reading).toMatchObject({
      quality: 'comm-error',
      why: expect.stringContaining('timeoutMs'),
    });
  });

  test('bytes that are no frames say where to look', async () => {
    const { address, show } = await stream();
    show('~~~~~~~~');
    const session = await open({ protocol: 'toledo', address, timeoutMs: 1_000 });
    await expect(session.read(SCALE)).rejects.toMatchObject({
      code: 'scale-silent',
      message: expect.stringContaining('check protocol, speed and parity'),
    });
  });

  test('a Toledo checksum is found out, and then every frame needs one', async () => {
    const { address, show } = await stream();
    const session = await open({ protocol: 'toledo', address, timeoutMs: 300 });
    const good = withChecksum(toledoBytes(1_000));
    show(good);
    await vi.waitFor(async () => {
      expect(await session.read(SCALE)).toMatchObject({ massMg: 1_000_000 });
    }, WAIT);
    show(good.map((byte, at) => (at === 6 ? byte + 1 : byte)));
    await vi.waitFor(async () => {
      await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'scale-silent' });
    }, WAIT);
  });

  test('a connection that breaks ends the read at once', async () => {
    const { address, sockets } = await stream();
    const session = await open({ protocol: 'cas', address, timeoutMs: SLOW_MS });
    const reading = session.read(SCALE);
    await vi.waitFor(() => expect(sockets).toHaveLength(1), WAIT);
    sockets[0]?.resetAndDestroy();
    await expect(reading).rejects.toMatchObject({ code: 'link-down' });
    await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'link-down' });
  });
});

/** Answers in this order; an empty one is none. */
const answering = (
  ...answers: string[]
): Promise<{ address: string; sockets: readonly Socket[] }> =>
  tcpDevice((_, socket) => socket.write(answers.shift() ?? ''));

describe('a scale that is asked', () => {
  test.each([
    ['a-and-d', {}, 'Q\r\n', text(1_000)],
    ['a-and-d', { command: 'RG' }, 'RG\r\n', text(1_000)],
    ['cas', { device: 3 }, '3', 'ST,GS,3\u00C4,   1.000 kg\r\n'],
    ['ohaus', {}, 'IP\r\n', '    1.000 kg    G  \r\n'],
    ['sbi', {}, '\u001BP\r\n', 'G     +    1.000 kg \r\n'],
  ] as const)('%s %j', async (protocol, options, request, answer) => {
    const { address } = await tcpDevice((bytes, socket) => {
      expect(bytes.toString('latin1')).toBe(request);
      socket.write(answer, 'latin1');
    });
    const link = { protocol, address, timeoutMs: SLOW_MS, mode: 'polled', ...options };
    const session = await open(link);
    const weight = { ok: true, massMg: 1_000_000, stable: true };
    expect(await session.read(SCALE)).toEqual(weight);
    expect(await session.read(SCALE)).toEqual(weight);
  });

  test('an answer in another unit is asked for once more', async () => {
    const lost = text(1_000).replace('kg', ' g');
    const { address } = await answering(text(1_000), text(1_000), lost, text(2_000), text(2_000));
    const link = { protocol: 'a-and-d', address, timeoutMs: SLOW_MS, mode: 'polled' } as const;
    const session = await open(link);
    expect(await session.read(SCALE)).toMatchObject({ massMg: 1_000_000 });
    expect(await session.read(SCALE)).toMatchObject({ massMg: 2_000_000 });
  });

  test('a digit that changed once is asked for again, until two agree', async () => {
    const [right, wrong] = [text(1_000), text(8_000)];
    const { address } = await answering(right, right, wrong, right, right);
    const link = { protocol: 'a-and-d', address, timeoutMs: SLOW_MS, mode: 'polled' } as const;
    const session = await open(link);
    for (const _ of [1, 2]) expect(await session.read(SCALE)).toMatchObject({ massMg: 1_000_000 });
  });

  test('a late answer is not taken for the next one, not even after the drain', async () => {
    const { address, sockets } = await answering('', '', text(2_000), text(3_000));
    const link = { protocol: 'a-and-d', address, timeoutMs: 100, mode: 'polled' } as const;
    const session = await open(link);
    await expect(session.read(SCALE)).rejects.toMatchObject({ code: 'scale-silent' });
    await session.drain();
    const reading = session.read(SCALE);
    sockets[0]?.write(text(1_000));
    const read = await reading;
    expect(read).not.toMatchObject({ massMg: 1_000_000 });
  });
});

test.skipIf(!requireProgram('socat'))('reads a stream from a serial port', async () => {
  const { address, show } = await stream();
  const path = join(freshFolder(), 'tty');
  const cable = spawn('socat', [`PTY,link=${path},raw,echo=0`, `TCP:${address}`]);
  const exited = once(cable, 'exit');
  onTestFinished(async () => {
    cable.kill('SIGKILL');
    await exited;
  });
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), WAIT);
  show(withChecksum(toledoBytes(12_345)));
  const session = await open({ protocol: 'toledo', address: path, timeoutMs: SLOW_MS });
  expect(await session.read(SCALE)).toMatchObject({ massMg: 12_345_000 });
});
