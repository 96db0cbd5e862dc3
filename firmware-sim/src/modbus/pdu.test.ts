import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answer, type RegisterDevice } from './pdu.ts';

/** Registers as in the specification's examples; writes are kept. */
function exampleDevice(): RegisterDevice & { readonly written: [number, readonly number[]][] } {
  const written: [number, readonly number[]][] = [];
  const holding = new Map([
    [0x6b, 0x022b],
    [0x6c, 0x0000],
    [0x6d, 0x0064],
  ]);
  return {
    written,
    read(table, address, count) {
      const values = Array.from({ length: count }, (_, i) =>
        table === 'holding' ? holding.get(address + i) : address + i === 8 ? 0x0a : undefined,
      );
      return values.some((value) => value === undefined) ? null : values.map((value) => value ?? 0);
    },
    write(address, values) {
      if (address > 0x10) return 'illegal-address';
      if (values.includes(0xdead)) return 'illegal-value';
      written.push([address, values]);
      return 'done';
    },
  };
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('examples of the Modbus application protocol, clause 6', () => {
  test.each([
    ['6.3 reads holding registers 108 to 110', '03 006B 0003', '03 06 022B 0000 0064'],
    ['6.4 reads input register 9', '04 0008 0001', '04 02 000A'],
    ['6.6 writes register 2', '06 0001 0003', '06 0001 0003'],
    ['6.12 writes registers 2 and 3', '10 0001 0002 04 000A 0102', '10 0001 0002'],
  ])('%s', (_, request, response) => {
    expect(answer(exampleDevice(), hex(request))).toEqual(hex(response));
  });

  test('written values reach the device in order', () => {
    const device = exampleDevice();
    answer(device, hex('10 0001 0002 04 000A 0102'));
    expect(device.written).toEqual([[1, [0x0a, 0x0102]]]);
  });
});

describe('a request that cannot be served', () => {
  test.each([
    ['an unknown function is exception 1', '2B 0E 01 00', 'AB 01'],
    ['a missing address is exception 2', '03 006B 0004', '83 02'],
    ['the other table is exception 2', '04 006B 0001', '84 02'],
    ['no register at all is exception 3', '03 006B 0000', '83 03'],
    ['more than 125 registers are exception 3', '03 0000 007E', '83 03'],
    ['a short request is exception 3', '03 006B', '83 03'],
    ['a byte count that does not fit is exception 3', '10 0001 0002 03 000A 01', '90 03'],
    ['a write beyond the map is exception 2', '06 0011 0001', '86 02'],
    ['a value that is refused is exception 3', '06 0001 DEAD', '86 03'],
    ['a write of several that is refused is exception 3', '10 0001 0001 02 DEAD', '90 03'],
  ])('%s', (_, request, response) => {
    expect(answer(exampleDevice(), hex(request))).toEqual(hex(response));
  });

  test('whatever comes gets an answer of the same function', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 253 }), (bytes) => {
        const response = answer(exampleDevice(), Buffer.from(bytes));
        expect((response[0] ?? 0) & 0x7f).toBe((bytes[0] ?? 0) & 0x7f);
        expect(response.length).toBeLessThanOrEqual(253);
      }),
    );
  });
});
