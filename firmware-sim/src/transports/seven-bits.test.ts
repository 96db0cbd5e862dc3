import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect, test } from 'vitest';
import { sevenBitLine } from './seven-bits.ts';

/** Every character of ASCII. */
const ALL = Buffer.from(Array.from({ length: 128 }, (_, code) => code));
const ones = (byte: number): number => byte.toString(2).replaceAll('0', '').length;

test.each([
  ['even', 0],
  ['odd', 1],
] as const)(
  'with %s parity bit 7 makes the number of ones so, and is not heard',
  async (parity, rest) => {
    const [client, server] = duplexPair();
    const line = sevenBitLine(server, parity);
    line.write(ALL);
    const [sent] = (await once(client, 'data')) as [Buffer];
    expect(Buffer.from(sent.map((byte) => byte & 0x7f))).toEqual(ALL);
    expect([...sent].filter((byte) => ones(byte) % 2 !== rest)).toEqual([]);
    client.write(sent);
    const [heard] = (await once(line, 'data')) as [Buffer];
    expect(heard).toEqual(ALL);
    client.destroy();
    const closed = once(line, 'close');
    server.destroy();
    await closed;
  },
);
