import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { lineLength, type AsciiDevice } from '../devices/ascii.ts';
import { serveAscii } from './ascii.ts';

/** Says which command it heard. */
const echo: AsciiDevice = {
  commandLength: lineLength,
  execute: (command) => ({ reply: Buffer.from(`${command.trim()}!`) }),
  frame: () => Buffer.from('frame'),
};

test('a line without power hears no command, and answers again when it is back', async () => {
  const [client, server] = duplexPair();
  client.setEncoding('latin1');
  let isOn = false;
  serveAscii({ device: echo, baud: 115_200, sends: false, isOn: () => isOn }, server);
  client.write('SI\r\nS\r\n');
  // Both ends are in this process: after two turns the bytes were taken.
  await turn();
  await turn();
  expect(client.read()).toBeNull();
  isOn = true;
  client.write('I4\r\n');
  const [answer] = (await once(client, 'data')) as [string];
  expect(answer).toBe('I4!');
  client.destroy();
});
