import { describe, expect, test } from 'vitest';
import { ConfigError } from '#shared/config-file.ts';
import { scenarioText, smallText } from '../testing/small-scenario.ts';
import { parseScenario, type Scenario } from './scenario.ts';

/** What the operator reads after `search` was replaced in the bench scenario. */
function complaint(search: string | RegExp, replacement: string): string {
  const text = smallText();
  const changed = text.replace(search, replacement);
  expect(changed).not.toBe(text);
  try {
    parseScenario('small.yaml', changed);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no fault';
}

describe('the demo', () => {
  const demo: Scenario = parseScenario('demo.yaml', scenarioText('demo'));
  const links = demo.sites.flatMap((site) => site.links);
  const scales = links.flatMap((link) => link.scales);
  const products = new Map(demo.products.map((product) => [product.id, product]));

  test('has a warehouse, three customers with two sites each, and 40 bins', () => {
    expect(demo.sites.filter((site) => site.customer === null)).toHaveLength(1);
    for (const { id } of demo.customers) {
      expect(demo.sites.filter((site) => site.customer === id)).toHaveLength(2);
    }
    expect(demo.customers).toHaveLength(3);
    expect(scales).toHaveLength(40);
  });

  test('uses every protocol, both register profiles and several time zones', () => {
    expect(new Set(links.map((link) => link.protocol)).size).toBe(3);
    const profiles = scales.map((scale) => ('profile' in scale ? scale.profile : 'none'));
    expect(new Set(profiles).size).toBe(3);
    expect(new Set(demo.sites.map((site) => site.timeZone)).size).toBeGreaterThan(1);
  });

  test('puts every product on a scale that can tell its pieces apart', () => {
    for (const scale of scales) {
      const pieceMassMg = products.get(scale.product)?.pieceMassMg;
      if (pieceMassMg === undefined) continue;
      expect(pieceMassMg / scale.noiseMg, scale.bin).toBeGreaterThan(6);
      expect(pieceMassMg, scale.bin).toBeGreaterThanOrEqual(2 * scale.divisionMg);
    }
  });

  test('ships every product from the warehouse', () => {
    const shipped = scales.filter((scale) => scale.ships).map((scale) => scale.product);
    expect(shipped.sort()).toEqual(demo.products.map((product) => product.id).sort());
  });
});

describe('a fault is told with line, key, value and what was expected', () => {
  test.each([
    [
      'an unknown product',
      'product: sand',
      'product: snd',
      'scales.0.product: is "snd"; expected the id of one of products',
    ],
    [
      'an unknown customer',
      'customer: workshop',
      'customer: wrkshop',
      'is "wrkshop"; expected null or one of customers: workshop',
    ],
    [
      'an unknown key',
      'seed: 1',
      'seed: 1\nsead: 2',
      'small.yaml:6: sead: is 2; expected no such key',
    ],
    [
      'a time zone',
      'Europe/Berlin',
      'Europe/Bonn',
      'sites.0.timeZone: is "Europe/Bonn"; expected an IANA time zone',
    ],
    [
      'a full bin beyond the capacity',
      'capacityMg: 6000000',
      'capacityMg: 5000000',
      'is 5000000; expected at least tare and full stock, 5150000',
    ],
    [
      'a count that does not divide the division',
      'countMg: 1000',
      'countMg: 300',
      'is 300; expected a divisor of divisionMg, 1000',
    ],
    [
      'refillAt above refillTo',
      'refillAt: 80',
      'refillAt: 800',
      'is 800; expected less than refillTo, 600',
    ],
    ['picks upside down', 'pickMax: 5', 'pickMax: 0', 'pickMax: is 0; expected at least 1'],
    [
      'neither use nor ships',
      /use: .*pickMax: 5.*/,
      '',
      'use: missing; expected either use or ships',
    ],
    [
      'a piece without mass',
      'pieceMassMg: 2000, ',
      '',
      'pieceMassMg: missing; expected the mass of a piece',
    ],
    [
      'a profile that is not built',
      'generic-int32',
      'generic-int64',
      'expected one of laumas-tlb, dini-argeo-dgt, pt113',
    ],
    [
      'a rhythm that is nowhere',
      /use: .*pickMax: 5, rhythm: round-the-clock/,
      'use: { perDay: 900, pickMin: 1, pickMax: 5, rhythm: night-shift',
      'use.rhythm: is "night-shift"; expected one of one-shift, two-shift, round-the-clock',
    ],
    [
      'a leaning hand that never comes',
      'unit: 7',
      'unit: 7\n            cell: { leaning: { massMg: 5 } }',
      'expected afterS (seconds from the start of live readings) or perDay',
    ],
    [
      'a swap for a product that is counted otherwise',
      'unit: 7',
      'unit: 7\n            events: [{ kind: swap, to: sand, quantity: 5, afterS: 1 }]',
      'events.0.to: is "sand"; expected a product counted in piece',
    ],
    [
      'an event without a time',
      'unit: 7',
      'unit: 7\n            events: [{ kind: theft, quantity: 5 }]',
      'events.0.afterS: missing; expected afterS',
    ],
    [
      'a bin twice',
      'bin: workshop-sand',
      'bin: workshop-clamps',
      'is "workshop-clamps"; expected one that is not used before',
    ],
    [
      'a link twice',
      'name: sics',
      'name: rtu',
      'sites.0.links.2.name: is "rtu"; expected one that is not used before',
    ],
  ])('%s', (_, search, replacement, message) => {
    expect(complaint(search, replacement)).toContain(message);
  });

  test('a port twice', () => {
    const text = scenarioText('small').replace('15102', '15101');
    expect(() => parseScenario('small.yaml', text)).toThrow('links.1.port: is 15101');
  });

  test('all faults are told at once, of single values and of how they fit, each once', () => {
    const text = scenarioText('small')
      .replace('capacityMg: 6000000', 'capacityMg: six')
      .replace('Europe/Berlin', 'Europe/Bonn')
      .replace('product: sand', 'product: snd')
      .replace('customer: workshop', 'customer: 7')
      .replace('refillAt: 80', 'refillAt: 800')
      .replace('port: 15103', 'port: 15102')
      .replace('baud: 9600', 'baud: 9601');
    const lines = faultsOf(text).map((line) => line.replace(/^small.yaml:\d+: (sites\.0\.)?/, ''));
    expect(lines).toEqual([
      'customer: is 7; expected a value of type string',
      'timeZone: is "Europe/Bonn"; expected an IANA time zone such as Europe/Berlin',
      'links.0.scales.0.capacityMg: is "six"; expected a value of type number',
      expect.stringMatching(/^links\.1\.baud: is 9601; expected one of 1200, /),
      'links.1.scales.0.stock.refillAt: is 800; expected less than refillTo, 600',
      'links.2.port: is 15102; expected one that is not used before',
      'links.2.scales.0.product: is "snd"; expected the id of one of products',
    ]);
  });

  test('a scale with a fault of its own is also checked for how its other parts fit', () => {
    const text = smallText()
      .replace('unit: 1\n', 'unit: 700\n')
      .replace('product: washer-m8', 'product: washers')
      .replace('countMg: 100\n', 'countMg: 300\n')
      .replace('capacityMg: 15000000', 'capacityMg: 1500000')
      .replace('noiseMg: 2000\n', 'noiseMg: none\n            colour: red\n')
      .replace('pickMin: 1, pickMax: 5, rhythm: round-the-clock', 'pickMin: 9, pickMax: 5')
      .replace('bin: workshop-sand', 'bin: workshop-clamps\n            outage: 7')
      .replace('use: { perDay: 150', 'faults: [{ kind: wrong-crc }, { kind: 7 }]\n            $&');
    const keys = faultsOf(text).map((line) => /links\.(.*?): /.exec(line)?.[1]);
    expect(keys).toEqual([
      '0.scales.0.product',
      '0.scales.0.unit',
      '0.scales.0.countMg',
      '1.scales.0.capacityMg',
      '1.scales.0.noiseMg',
      '1.scales.0.colour',
      '1.scales.0.use.rhythm',
      '1.scales.0.use.pickMax',
      '2.scales.0.bin',
      '2.scales.0.outage',
      '2.scales.0.faults.1.kind',
      '2.scales.0.faults.0.kind',
    ]);
  });

  test('of a swap on a scale whose product is not known, only that is told', () => {
    const swap = 'unit: 7\n            events: [{ kind: swap, to: sand, quantity: 5, afterS: 1 }]';
    const text = smallText().replace('product: clamp-32', 'product: clamps');
    expect(faultsOf(text.replace('unit: 7', swap))).toEqual([
      expect.stringContaining('product: is "clamps"; expected the id'),
    ]);
  });

  test('parts that are faulty are not said to be missing', () => {
    const ships = smallText().replace(/use: .*pickMax: 5.*/, 'ships: { rhythm: 7 }');
    expect(faultsOf(ships)).toEqual([expect.stringContaining('ships.rhythm: is 7; expected')]);
    const none = smallText().replace(/use: .*pickMax: 5.*/, 'ships: 7');
    expect(faultsOf(none)).toEqual([expect.stringContaining('ships: is 7; expected')]);
  });

  test.each([
    ['an empty file', '', 6],
    ['no scenario at all', '[]', 1],
    ['sites that are none', 'sites: [1, {links: 7}, {links: [8, {scales: [9]}]}]', 0],
    ['products that are none', 'products: [~, {id: 5}]\nrhythms: 7', 0],
    ['events that are none', smallText().replace('unit: 7', 'unit: 7\n            events: 7'), 1],
  ])('%s is told in words', (_, text, count) => {
    const faults = faultsOf(text);
    expect(faults.length).toBeGreaterThanOrEqual(Math.max(1, count));
    for (const fault of faults) expect(fault).toMatch(/^small.yaml:\d+: .*; expected ./);
  });

  test('of what refers to a faulty product or customer, only that is told', () => {
    const text = smallText()
      .replace('id: sand, name: Blasting sand', 'id: sand, name: 5')
      .replace('{ id: workshop, name: Workshop }', '{ id: workshop }');
    expect(faultsOf(text)).toEqual([
      expect.stringContaining('customers.0.name: missing'),
      expect.stringContaining('products.2.name: is 5'),
    ]);
  });

  test('a protocol that is not known is told with those that are', () => {
    const text = smallText().replace('protocol: modbus-rtu', 'protocol: modbus-ascii');
    expect(faultsOf(text)).toEqual([
      expect.stringMatching(/links\.1\.protocol: is "modbus-ascii"; expected one of 'modbus-tcp' /),
    ]);
  });
});

function faultsOf(text: string): string[] {
  try {
    parseScenario('small.yaml', text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}
