import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig, readConfigFile } from './config.ts';
import { freshFolder } from '../testing/folder.ts';

const EXAMPLE = join(import.meta.dirname, '../../agent.example.yaml');

function configured(text: string): ReturnType<typeof readConfig> {
  const file = join(freshFolder(), 'agent.yaml');
  writeFileSync(file, text);
  return readConfig(file);
}

const example = readFileSync(EXAMPLE, 'utf8');

test('the example is a valid configuration, and dataDir is relative to its folder', () => {
  const config = readConfig(EXAMPLE);
  expect(config.dataDir).toBe(join(dirname(EXAMPLE), 'data/acme-north'));
  expect(config.links.map(({ protocol }) => protocol)).toEqual([
    'modbus-tcp',
    'modbus-rtu',
    'mt-sics',
    'toledo',
    'a-and-d',
    'cas',
    'ohaus',
    'sbi',
  ]);
});

test('an ASCII link that says nothing listens, and takes no net for gross', () => {
  const links = ['toledo', 'a-and-d', 'cas', 'ohaus', 'sbi', 'mt-sics'].map(
    (protocol, index) =>
      `  - { name: ${protocol}, protocol: ${protocol}, address: 127.0.0.1:${index + 1},` +
      ` scales: [{ bin: ${protocol}, divisionMg: 1 }] }`,
  );
  const head =
    'agent: { id: a, secret: s }\nbroker: mqtt://127.0.0.1:1883\ndataDir: data\nlinks:\n';
  expect(configured(head + links.join('\n')).links).toMatchObject([
    { checksum: 'auto' },
    { mode: 'continuous', command: 'Q', tare: 'marked' },
    { mode: 'continuous', device: 1 },
    { mode: 'continuous', command: 'IP', tare: 'marked' },
    { mode: 'continuous', tare: 'marked' },
    { tare: 'asked' },
  ]);
});

/** A link with one bin of its name. */
const link = (name: string, address: string): string =>
  `  - { name: ${name}, protocol: sbi, address: '${address}', scales: [{ bin: ${name}, divisionMg: 1 }] }`;

test('one line is one link, however its address is written', () => {
  const head =
    'agent: { id: a, secret: s }\nbroker: mqtt://127.0.0.1:1883\ndataDir: data\nlinks:\n';
  const faulty = [link('one', 'gateway:4001'), link('two', 'Gateway:04001')].join('\n');
  expect(() => configured(head + faulty)).toThrow('an address no other link has');
  const serial = [link('one', '/dev/ttyS0'), link('two', '/dev/ttys0')].join('\n');
  expect(configured(head + serial).links).toHaveLength(2);
});

test('an address that is none is one fault', () => {
  const head =
    'agent: { id: a, secret: s }\nbroker: mqtt://127.0.0.1:1883\ndataDir: data\nlinks:\n';
  const modbus = '  - { name: one, protocol: modbus-tcp, address: gateway, scales: [] }';
  expect(() => configured(head + modbus)).toThrow(
    /is "gateway"; expected host:port, port 1 to 65535\n.*: links\.0\.scales: [^\n]*$/,
  );
});

test('what may be left out has its default', () => {
  const config = configured(`
agent: { id: a, secret: s }
broker: mqtt://127.0.0.1:1883
dataDir: data
links:
  - name: one
    protocol: mt-sics
    address: 127.0.0.1:4305
    scales: [{ bin: a1, divisionMg: 10 }]
`);
  expect(config).toMatchObject({
    log: 'info',
    report: { heartbeatS: 600, minSamples: 5 },
    uplink: { batchReadings: 500, healthS: 60 },
    links: [{ timeoutMs: 1_000, scales: [{ pollMs: 1_000 }] }],
  });
});

test('all faults are said at once, each with its line', () => {
  const faulty = example
    .replace('broker: mqtt:', 'broker: http:')
    .replace('log: info', 'log: loud')
    .replace('protocol: modbus-tcp', 'protocol: modbus-ascii')
    .replace('baud: 19200', 'baud: 19201')
    .replace('bin: acme-north-b1', 'bin: acme-north-c1')
    .replace('healthS: 60', 'heathS: 60');
  const faultOf = (): string => {
    try {
      configured(faulty);
    } catch (error) {
      return String(error);
    }
    throw new Error('no fault found');
  };
  const said = faultOf();
  for (const part of [
    'broker: is "http://127.0.0.1:1883"; expected mqtt://',
    'log: is "loud"; expected one of debug, info',
    'links.0.protocol: is "modbus-ascii"; expected one of modbus-tcp',
    'links.1.serial.baud: is 19201; expected one of 1200',
    'uplink.heathS: is 60; expected no such key',
    'links.2.scales.0.bin: is "acme-north-c1"; expected a bin no other scale has',
  ]) {
    expect(said).toContain(part);
  }
  expect(said).toMatch(/agent\.yaml:8: broker/);
});

describe.each([
  ['a unit on a line without addresses', 'bin: acme-north-c1,', 'bin: acme-north-c1, unit: 1,'],
  ['a checksum on a protocol without one', 'protocol: cas', 'protocol: cas\n    checksum: auto'],
  ['a command that A&D does not know', 'command: RG', 'command: XX'],
  ['a port out of range', '127.0.0.1:5020', '127.0.0.1:99999'],
  ['a serial port for a socket', 'address: 127.0.0.1:5020', 'address: /dev/ttyUSB0'],
  ['an unknown profile', 'profile: generic-int32', 'profile: other'],
  ['a name used twice', 'name: hall-2', 'name: hall-1'],
  ['an address used twice', 'address: 127.0.0.1:4305', 'address: 127.0.0.1:5020'],
  [
    'TLS settings for a broker without TLS',
    'broker: mqtt://127.0.0.1:1883',
    'broker: mqtt://127.0.0.1:1883\ntls: { ca: ca.crt }',
  ],
  ['no mass of a count where the profile has none', 'countMg: 1000', 'timeoutS: 1'],
  [
    'a profile that says the unit itself, and a mass',
    'profile: generic-int32',
    'profile: laumas-tlb',
  ],
])('%s', (_, from, to) => {
  test('is a fault', () => {
    expect(example).toContain(from);
    expect(() => configured(example.replace(from, to))).toThrow('expected');
  });
});

describe('sections from elsewhere', () => {
  const file = readConfigFile(EXAMPLE);

  test('stand in place of the ones of the file, as a whole', () => {
    const merged = file.with({ report: { minSamples: 9 }, log: 'warn' });
    expect(merged).toMatchObject({ log: 'warn', report: { heartbeatS: 600, minSamples: 9 } });
    expect({ ...merged, log: 'info', report: file.config.report }).toEqual(file.config);
    expect(file.with({})).toEqual(file.config);
  });

  test('are judged together with the file', () => {
    expect(() => file.with({ tls: { ca: 'ca.crt' }, log: 'loud' })).toThrow(
      /log: is "loud".*\n.*broker: is .*mqtts/s,
    );
  });
});

test('a file that cannot be read is one clear failure', () => {
  expect(() => readConfig('/nowhere/agent.yaml')).toThrow('cannot read the configuration');
});
