import { expect, test } from 'vitest';
import { remoteSectionsSchema } from '#shared/wire/config.ts';
import { faultsOf, type Surroundings } from './checks.ts';

const north: Surroundings = {
  site: 'north',
  sites: new Map([
    ['a1', 'north'],
    ['a2', 'north'],
    ['b1', 'south'],
  ]),
  taken: new Map([['a2', 'north-2']]),
};

const link = (name: string, address: string, ...bins: string[]) => ({
  name,
  protocol: 'mt-sics',
  address,
  scales: bins.map((bin) => ({ bin, divisionMg: 1_000 })),
});

function faults(config: unknown): [string, string][] {
  return faultsOf(remoteSectionsSchema.parse(config), north).map(({ path, expected }) => [
    path.join('.'),
    expected,
  ]);
}

test('a configuration that fits its site is without fault, and so is an empty one', () => {
  expect(faults({ links: [link('hall', 'h:1', 'a1')] })).toEqual([]);
  expect(faults({})).toEqual([]);
});

test('a bin that is unknown, elsewhere or read by another agent is named with its place', () => {
  const sensors = [{ bin: 'a2', kind: 'count' }];
  const links = [{ ...link('hall', 'h:1', 'a1', 'nowhere', 'b1'), sensors }];
  expect(faults({ links })).toEqual([
    ['links.0.scales.1.bin', 'a bin of site north; there is no nowhere'],
    ['links.0.scales.2.bin', 'a bin of site north; b1 stands at south'],
    ['links.0.sensors.0.bin', 'a bin that agent north-2 leaves alone'],
  ]);
});

test('a second use of a name, an address or a bin is a fault at its second place', () => {
  const links = [link('hall', 'h:1', 'a1'), link('hall', 'h:1', 'a1')];
  expect(faults({ links })).toEqual([
    ['links.1.name', 'a name that no other link has'],
    ['links.1.address', 'an address that no other link has: its bins belong to one link'],
    ['links.1.scales.0.bin', 'a bin that no other scale has'],
  ]);
});

test('keys, certificates and passwords are kept out; paths on the gateway are not', () => {
  expect(faults({ tls: { ca: 'ca.crt', serverName: 'b', newer: true } })).toEqual([]);
  const pem = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n';
  const path = 'a path on the gateway, whose contents are never sent';
  expect(faults({ tls: { key: pem, cert: 'MIIB\nMIIB', chain: [pem] } })).toEqual([
    ['tls.key', path],
    ['tls.cert', path],
    ['tls.chain', path],
  ]);
  expect(faults({ broker: 'mqtts://me:secret@broker:8883' })).toEqual([
    ['broker', 'no user name or password: the agent proves itself with its own secret'],
  ]);
  expect(faults({ broker: 'mqtts://broker:8883' })).toEqual([]);
});
