import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { decodeWireRecording } from '#shared/wire-recording.ts';
import { openSocket } from '../scale/line.ts';
import { freshFolder } from '../testing/folder.ts';
import { tcpDevice } from '../testing/tcp-device.ts';
import { WireRecorder, type WireRecorderOptions } from './recorder.ts';

function recorder(options: Partial<WireRecorderOptions> = {}): WireRecorder & { folder: string } {
  const folder = join(freshFolder(), 'wire');
  const log = createLog('test', 'silent');
  const made = new WireRecorder({ folder, clock: systemClock, log, ...options });
  onTestFinished(() => made.stop());
  return Object.assign(made, { folder });
}

const filesOf = (folder: string): string[] => readdirSync(folder).toSorted();

function onlyRecording(folder: string): ReturnType<typeof decodeWireRecording> {
  const [file = '', ...others] = filesOf(folder);
  expect(others).toEqual([]);
  return decodeWireRecording(readFileSync(join(folder, file), 'utf8'));
}

test('what went over a real line around a fault is in the file, and what followed', async () => {
  const { address } = await tcpDevice((bytes, socket) => socket.write(bytes.toString('latin1')));
  const wire = recorder({ afterMs: 60_000 });
  const tap = wire.tap('lab', 'mt-sics');
  const line = await openSocket({ address, timeoutMs: 1_000, tap });
  const got: string[] = [];
  line.on('data', (bytes: Buffer) => got.push(bytes.toString()));
  line.write('SI\r\n');
  await vi.waitFor(() => expect(got.join('')).toBe('SI\r\n'), WAIT);
  wire.fault('lab', 'comm-error', 'no answer within 500 ms');
  line.write(Buffer.from([1, 2]));
  await vi.waitFor(() => expect(got.join('')).toBe('SI\r\n\u0001\u0002'), WAIT);
  wire.stop();
  line.destroy();
  const { header, pieces } = onlyRecording(wire.folder);
  expect(header).toMatchObject({ protocol: 'mt-sics', link: 'lab', fault: 'comm-error' });
  expect(header.why).toBe('no answer within 500 ms');
  expect(pieces.map(({ dir, hex, event }) => [dir, event ?? hex])).toEqual([
    ['tx', 'open'],
    ['tx', '53490d0a'],
    ['rx', '53490d0a'],
    ['tx', '0102'],
    ['rx', '0102'],
  ]);
});

test.each([
  ['the device ends it', 'rx'],
  ['the device resets it', 'rx'],
  ['the agent gives it up', 'tx'],
] as const)('it is known who closed a line: %s', async (who, dir) => {
  const { address } = await tcpDevice((bytes, socket) => {
    if (bytes.toString() === 'end') socket.end();
    else if (bytes.toString() === 'reset') socket.resetAndDestroy();
  });
  const wire = recorder();
  const line = await openSocket({ address, timeoutMs: 1_000, tap: wire.tap('lab', 'mt-sics') });
  const closed = new Promise((resolve) => line.once('close', resolve));
  line.resume();
  if (dir === 'tx') line.destroy();
  else line.write(who.includes('resets') ? 'reset' : 'end');
  await closed;
  wire.fault('lab', 'comm-error', 'the line was closed');
  wire.stop();
  expect(onlyRecording(wire.folder).pieces.at(-1)).toMatchObject({ event: 'close', dir });
});

test('a fault that comes again and again is written once, another one also', () => {
  const wire = recorder();
  wire.tap('lab', 'modbus-rtu').attach(new PassThrough());
  wire.fault('lab', 'comm-error', 'first');
  wire.fault('lab', 'comm-error', 'second');
  wire.fault('lab', 'config-error', 'other');
  wire.stop();
  wire.fault('lab', 'comm-error', 'third');
  wire.stop();
  expect(filesOf(wire.folder).map((name) => name.slice(25))).toEqual([
    'lab-comm-error.jsonl',
    'lab-config-error.jsonl',
  ]);
});

test('the folder stays within its bounds, and strange files in it are left alone', () => {
  let wallMs = 1_760_000_000_000;
  const clock = { wallMs: () => (wallMs += 1_000), monotonicMs: () => wallMs };
  const wire = recorder({ clock, againMs: 0, most: { files: 3, bytes: 2_000 } });
  mkdirSync(wire.folder);
  writeFileSync(join(wire.folder, 'note.txt'), 'x');
  const line = new PassThrough();
  wire.tap('lab', 'modbus-rtu').attach(line);
  line.on('data', () => {});
  for (let n = 0; n < 6; n += 1) {
    wire.fault('lab', 'comm-error', `number ${n}`);
    wire.stop();
  }
  const whys = filesOf(wire.folder)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => decodeWireRecording(readFileSync(join(wire.folder, name), 'utf8')).header.why);
  expect(whys).toEqual(['number 3', 'number 4', 'number 5']);
  line.write(Buffer.alloc(300));
  wire.fault('lab', 'comm-error', 'a large one');
  wire.stop();
  const sizes = filesOf(wire.folder).map((name) => readFileSync(join(wire.folder, name)).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2_001);
  expect(filesOf(wire.folder)).toContain('note.txt');
});

test('a folder that cannot be written harms nobody', () => {
  const file = join(freshFolder(), 'file');
  writeFileSync(file, '');
  const wire = recorder({ folder: join(file, 'wire') });
  wire.tap('lab', 'modbus-rtu').attach(new PassThrough());
  wire.fault('lab', 'comm-error', 'x');
  expect(() => wire.stop()).not.toThrow();
});

test('a link that ends leaves what is still waited for, and nothing in memory', () => {
  const wire = recorder({ afterMs: 60_000 });
  wire.tap('lab', 'modbus-rtu').attach(new PassThrough());
  wire.fault('lab', 'comm-error', 'silent');
  wire.forget('lab');
  expect(onlyRecording(wire.folder).header).toMatchObject({ link: 'lab', why: 'silent' });
  wire.fault('lab', 'stale', 'nobody hears it any more');
  wire.stop();
  expect(filesOf(wire.folder)).toHaveLength(1);
});
