import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { encodeWireRecording, type WireRecording } from '#shared/wire-recording.ts';
import { RECORDED_AT, recordingOf } from '../testing/recordings.ts';
import { startReplay, type RunningReplay } from './replay.ts';

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

async function replayed(
  recording: WireRecording | string,
  options: { repeat?: boolean; pty?: string } = {},
): Promise<{ replay: RunningReplay; printed: string[] }> {
  const { repeat = false, pty } = options;
  const printed: string[] = [];
  const replay = await startReplay({
    file: 'x.jsonl',
    text: typeof recording === 'string' ? recording : encodeWireRecording(recording),
    place: pty === undefined ? { port: 0 } : { pty },
    repeat,
    clock: systemClock,
    print: (line) => printed.push(line),
  });
  onTestFinished(() => replay.close());
  return { replay, printed };
}

interface Client {
  readonly socket: Socket;
  /** Waits for so many bytes beyond those that were given before. */
  readonly receive: (bytes: number) => Promise<string>;
}

async function client({ address }: RunningReplay): Promise<Client> {
  const socket = connect({ port: Number(address.split(':')[1]), host: '127.0.0.1' });
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (part) => (text += String(part)));
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return {
    socket,
    async receive(bytes) {
      while (text.length < bytes) await once(socket, 'data');
      const got = text.slice(0, bytes);
      text = text.slice(bytes);
      return got;
    },
  };
}

test('requests get the recorded answers, and each frame is printed with its meaning', async () => {
  const { replay, printed } = await replayed(
    recordingOf('modbus-tcp', [
      [-900, 'open'],
      [-800, 'tx', '000100000006010400000002'],
      [-790, 'rx', '00010000000701040400000064'],
      [0, 'tx', '000200000006010400000002'],
      [50, 'tx', '000300000006010400000002'],
      [51, 'rx', '00020000000701040400000065'],
      [52, 'rx', '00030000000701'],
      [60, 'rx', '040400000066'],
    ]),
  );
  expect(printed).toEqual([
    `link hall-2, modbus-tcp: comm-error at ${new Date(RECORDED_AT).toISOString()}: no answer`,
    '8 pieces of 1.0 s, from 0.9 s before the fault',
    `ready: give the agent's link the address ${replay.address}`,
  ]);
  const { socket, receive } = await client(replay);
  socket.write(Buffer.from('00ff00000006010400000002', 'hex'));
  expect(await receive(13)).toBe('\u0000\u00ff\u0000\u0000\u0000\u0007\u0001\u0004\u0004\0\0\0d');
  // Another unit's request is nobody's here; the second one was never answered in time.
  socket.write(Buffer.from('010000000006090400000002', 'hex'));
  socket.write(Buffer.from('010100000006010400000002', 'hex'));
  socket.write(Buffer.from('010200000006010400000002', 'hex'));
  const late = await receive(26);
  expect(Buffer.from(late, 'latin1').toString('hex')).toBe(
    '0101000000070104040000006501020000000701040400000066',
  );
  socket.write(Buffer.from('010300000006010400000002', 'hex'));
  await vi.waitFor(() => expect(printed.at(-1)).toContain('the end of the recording'), WAIT);
  const told = printed.slice(3).map((line) => line.replace(/^\S+Z +/, ''));
  expect(told).toEqual([
    'the line was opened',
    expect.stringMatching(/^-0\.800 s {2}request {2}00 ff .*transaction 255, unit 1, function 4/),
    expect.stringMatching(/^-0\.790 s {2}answer .*transaction 255, .*values 0 100$/),
    expect.stringMatching(/^request .*unit 9/),
    'not in the recording: no answer',
    expect.stringMatching(/^\+0\.000 s {2}request .*transaction 257/),
    'no answer, as recorded',
    expect.stringMatching(/^\+0\.050 s {2}request .*transaction 258/),
    expect.stringMatching(/^\+0\.051 s {2}answer .*transaction 257, .*values 0 101$/),
    expect.stringMatching(/^\+0\.052 s {2}answer .*broken shorter than a header$/),
    expect.stringMatching(/^\+0\.060 s {2}answer /),
    expect.stringMatching(/^request .*transaction 259/),
    'the end of the recording, no answer is left: silent (with --repeat it begins again)',
  ]);
});

test('a stream comes at its recorded pace, ends where it ended, and begins again with repeat', async () => {
  const stream = recordingOf('toledo', [
    [0, 'rx', hex('ab')],
    [20, 'rx', hex('cd')],
  ]);
  const once = await replayed(stream);
  const first = await client(once.replay);
  expect(await first.receive(4)).toBe('abcd');
  await vi.waitFor(() => expect(once.printed.at(-1)).toContain('the end of the recording'), WAIT);
  const again = await replayed(stream, { repeat: true });
  const second = await client(again.replay);
  expect(await second.receive(10)).toBe('abcdabcdab');
});

test('a line that the devices closed is closed, and the next connection goes on', async () => {
  const { replay } = await replayed(
    recordingOf('mt-sics', [
      [0, 'open'],
      [10, 'tx', hex('SI\r\n')],
      [20, 'close', 'rx'],
      [900, 'open'],
      [910, 'tx', hex('SI\r\n')],
      [920, 'rx', hex('S S\r\n')],
    ]),
  );
  const first = await client(replay);
  const closed = once(first.socket, 'close');
  first.socket.write('SI\r\n');
  await closed;
  const second = await client(replay);
  second.socket.write('SI\r\n');
  expect(await second.receive(5)).toBe('S S\r\n');
});

test.each([
  ['', 'line 1 is none of a wire recording: no JSON'],
  ['{"at":1}\n', 'line 1 is none of a wire recording: protocol:'],
  [
    `${encodeWireRecording(recordingOf('toledo', [[0, 'rx', '02']]))}rubbish\n`,
    'line 3 is none of a wire recording: no JSON',
  ],
  [encodeWireRecording(recordingOf('toledo', [[0, 'open']])), 'no byte was recorded'],
])('a damaged recording is refused with its file and what is wrong', async (text, why) => {
  await expect(replayed(text)).rejects.toThrow(`x.jsonl: ${why}`);
});

test('Modbus TCP on a serial line is refused', async () => {
  const recording = recordingOf('modbus-tcp', [[0, 'tx', '00']]);
  await expect(replayed(recording, { pty: '/tmp/none' })).rejects.toThrow('--listen');
});

test('a file where the terminal is to be stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pty = join(folder, 'recording.jsonl');
  writeFileSync(pty, 'precious');
  const recording = recordingOf('modbus-rtu', [[0, 'tx', '00']]);
  await expect(replayed(recording, { pty })).rejects.toThrow('there is a file of this name');
  expect(readFileSync(pty, 'utf8')).toBe('precious');
});
