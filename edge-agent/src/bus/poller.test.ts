import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Reading } from '#shared/reading.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { binsOf, readConfig } from '../configuration/config.ts';
import { Intake } from '../intake/intake.ts';
import { Outbox } from '../outbox/outbox.ts';
import { Poller } from './poller.ts';
import { freshFolder } from '../testing/folder.ts';
import { modbusDevice, requirePymodbus, type ModbusDevice } from '../testing/pymodbus.ts';

const OWN_PROFILE = `
name: my-indicator
vendor: me
manual: my own
table: holding
value: { address: 1, register: 40002, type: int16, is: displayed }
status: { address: 0, bits: [{ bit: 0, means: stable }, { bit: 4, means: net }] }
decimals: 1
unit: kg
`;

const CONFIG = (port: number): string => `
agent: { id: acme-north, secret: s }
broker: mqtt://127.0.0.1:1
dataDir: data
report: { minSamples: 2 }
links:
  - name: hall-1
    protocol: modbus-tcp
    address: 127.0.0.1:${port}
    scales:
      - { bin: own, unit: 1, profile: ./my-indicator.yaml, divisionMg: 100000, pollMs: 50 }
    sensors:
      - bin: pieces
        unit: 2
        kind: count
        table: input
        address: 0
        sure: { address: 2, bit: 15, inverted: true }
        pollMs: 50
      - bin: hopper
        unit: 2
        kind: level
        table: input
        address: 1
        valid: { from: 3600, to: 21000 }
        levels: [{ at: 4000, massMg: 0 }, { at: 20000, massMg: 1600000 }]
        divisionMg: 1000
        pollMs: 50
      - { bin: there, unit: 2, kind: presence, table: input, address: 2, bit: 3, pollMs: 50 }
`;

async function polling(): Promise<{ readings: Reading[]; device: ModbusDevice; poller: Poller }> {
  const device = await modbusDevice('tcp', {
    1: { holding: [1, 1234] },
    2: { input: [17, 12_000, 0b1000] },
  });
  const folder = freshFolder();
  writeFileSync(join(folder, 'my-indicator.yaml'), OWN_PROFILE);
  writeFileSync(join(folder, 'agent.yaml'), CONFIG(device.port));
  const config = readConfig(join(folder, 'agent.yaml'));
  const outbox = new Outbox(folder, { stamp: 'x' });
  const log = createLog('agent', 'silent');
  const readings: Reading[] = [];
  const intake = new Intake({
    outbox,
    log,
    heartbeatMs: 600_000,
    bins: new Map(config.links.flatMap(binsOf).map((bin) => [bin.bin, bin])),
    ramBytes: 1_000_000,
    onCommit: (committed) => void readings.push(...committed),
  });
  const segment = { boot: 'boot', offsetMs: 0, synced: true };
  const stamp = (): { at: number; synced: boolean; segment: typeof segment } => ({
    at: systemClock.wallMs(),
    synced: true,
    segment,
  });
  const poller = new Poller({ config, clock: systemClock, log, intake, stamp });
  const committing = setInterval(() => intake.commit(), 20);
  onTestFinished(async () => {
    await poller.stop();
    clearInterval(committing);
    outbox.close();
  });
  poller.start();
  return { readings, device, poller };
}

const newest = (readings: readonly Reading[], bin: string): Partial<Reading> | undefined =>
  readings.findLast((reading) => reading.bin === binId(bin));

test.skipIf(!requirePymodbus())(
  'an indicator of one’s own, a count, a level and a presence each come in their unit',
  async () => {
    const { readings, device, poller } = await polling();
    await vi.waitFor(() => {
      expect(newest(readings, 'own')).toMatchObject({
        value: 123_400_000,
        unit: 'mg',
        quality: 'good',
      });
      expect(newest(readings, 'pieces')).toMatchObject({ value: 17, unit: 'count' });
      expect(newest(readings, 'hopper')).toMatchObject({ value: 800_000, unit: 'mg' });
      expect(newest(readings, 'there')).toMatchObject({ value: 1_000, unit: 'permille' });
    }, WAIT);

    await device.tell('2 input 0 16');
    await device.tell('2 input 1 3000');
    await device.tell('2 input 2 0');
    await device.tell('1 holding 0 17');
    await vi.waitFor(() => {
      expect(newest(readings, 'pieces')).toMatchObject({ value: 16, quality: 'good' });
      expect(newest(readings, 'hopper')).toMatchObject({ value: null, quality: 'comm-error' });
      expect(newest(readings, 'there')).toMatchObject({ value: 0, quality: 'good' });
      expect(newest(readings, 'own')).toMatchObject({ value: null, quality: 'config-error' });
    }, WAIT);
    expect(poller.devices().find(({ bin }) => bin === 'own')).toMatchObject({
      ok: false,
      fault: expect.stringContaining('net'),
    });
    await device.tell('2 input 2 32768');
    await vi.waitFor(() => {
      expect(newest(readings, 'pieces')).toMatchObject({ value: null, quality: 'comm-error' });
    }, WAIT);
    const [link] = poller.snapshot();
    expect(link).toMatchObject({ name: 'hall-1', protocol: 'modbus-tcp', isUp: true });
    expect(link?.slaves.map(({ unit, bins, requests }) => ({ unit, bins, requests }))).toEqual([
      { unit: 1, bins: ['own'], requests: [{ table: 'holding', first: 0, count: 2 }] },
      {
        unit: 2,
        bins: ['pieces', 'hopper', 'there'],
        requests: [{ table: 'input', first: 0, count: 3 }],
      },
    ]);
  },
);
