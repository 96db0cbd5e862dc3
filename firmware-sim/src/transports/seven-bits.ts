import { Duplex } from 'node:stream';

export type Parity = 'even' | 'odd';

const DATA_BITS = 0x7f;
const PARITY_BIT = 0x80;

/**
 * A serial line of seven data bits and parity as one sees it who reads eight bits without parity,
 * as device servers do and pseudo-terminals cannot otherwise: the parity is bit 7.
 * @returns what the device talks to: seven bits of each byte, both ways
 */
export function sevenBitLine(client: Duplex, parity: Parity): Duplex {
  const line = new Duplex({
    allowHalfOpen: false,
    read: () => client.resume(),
    write(chunk: Buffer | string, encoding, done) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
      client.write(withParity(bytes, parity), () => done());
    },
    final: (done) => void client.end(done),
    destroy(error, done) {
      client.destroy();
      done(error);
    },
  });
  client.on('data', (bytes: Buffer) => {
    if (!line.push(bytes.map((byte) => byte & DATA_BITS))) client.pause();
  });
  client.on('close', () => line.destroy());
  return line;
}

/** @returns seven bits of each byte, and bit 7 so that the number of ones is even, or odd */
function withParity(bytes: Uint8Array, parity: Parity): Buffer {
  return Buffer.from(bytes.map((byte) => sealed(byte & DATA_BITS, parity)));
}

function sealed(character: number, parity: Parity): number {
  let ones = 0;
  for (let rest = character; rest !== 0; rest &= rest - 1) ones += 1;
  const isOdd = ones % 2 === 1;
  return isOdd === (parity === 'even') ? character | PARITY_BIT : character;
}
