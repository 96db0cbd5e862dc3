import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeRecordingLine } from '#shared/recording.ts';
import { freePort } from '#shared/testing/ports.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { fillBack } from '../agent.ts';
import { readConfigFile } from './config.ts';
import { askStatus } from '../status/socket.ts';
import { aedesBroker, mosquittoBroker } from '../testing/brokers.ts';
import { CloudPeer } from '../testing/cloud-peer.ts';
import { reading } from '../testing/entries.ts';
import {
  balance,
  Desk,
  linkTo,
  moreReadings,
  NORTH,
  remoteSite,
  startAt,
  WEIGHT,
} from '../testing/remote-site.ts';
import { tcpDevice } from '../testing/tcp-device.ts';

const BROKERS = [
  ['aedes', aedesBroker],
  ...(requireProgram('mosquitto') ? ([['mosquitto', mosquittoBroker]] as const) : []),
] as const;

/** Long enough to look, for a version that cannot prove itself however long it is tried. */
const FUTILE = { trialS: 2 };

const GENERIC = join(import.meta.dirname, '../../../shared/profiles/generic-int32.yaml');

/** A Modbus gateway that has a 1 in every last register behind unit 1, and nobody behind others. */
const modbusGateway = () =>
  tcpDevice((bytes, socket) => {
    const [unit = 0, functionCode = 0] = bytes.subarray(6);
    if (unit !== 1) return;
    const data = Buffer.alloc(2 * bytes.readUInt16BE(10));
    data.writeUInt8(1, data.length - 1);
    const head = [...bytes.subarray(0, 4), 0, 3 + data.length, unit, functionCode, data.length];
    socket.write(Buffer.concat([Buffer.from(head), data]));
  });

const countOf = (unit: number): object => {
  const place = { unit, kind: 'count', table: 'input', address: 0, pollMs: 50 };
  return { bin: `pieces-${unit}`, ...place };
};

describe.each(BROKERS)('over %s, a configuration from afar', (_, start) => {
  test('is tried, proved, kept and told, and what it does not change goes on undisturbed', async () => {
    const { desk, peer, one, file, dataDir, kept, broker } = await remoteSite({ start });
    const running = startAt(file);
    await moreReadings(peer, 'one');
    const slave = async () => (await askStatus(dataDir)).links[0]?.slaves[0];
    const reads = (await slave())?.reads ?? 0;
    const two = await balance();
    await desk.want(3, { links: [linkTo('one', one.address), linkTo('two', two.address)] });
    expect(await desk.told(3, 'applied')).toEqual({
      version: 3,
      state: 'applied',
      inForce: 3,
      at: expect.any(Number) as number,
    });
    expect(desk.reports.map(({ state }) => state)).toContain('trial');
    expect(kept()).toMatchObject({ applied: { version: 3 }, trial: null });
    await moreReadings(peer, 'two');
    await moreReadings(peer, 'one');
    expect(one.sockets).toHaveLength(1);
    expect(await slave()).toMatchObject({ bin: 'one', errors: 0 });
    expect((await slave())?.reads).toBeGreaterThan(reads);
    expect(peer.folded.map(({ seq }) => seq)).toEqual(
      peer.folded.map((_batch, index) => index + 1),
    );
    expect(new Set(peer.folded.map(({ epoch }) => epoch)).size).toBe(1);
    expect(new Set(peer.readings.map(({ quality }) => quality))).toEqual(new Set(['good']));

    // The next start needs no broker to know it.
    await running.stop();
    await broker.stop();
    const before = two.asked;
    startAt(file);
    await vi.waitFor(() => expect(two.asked).toBeGreaterThan(before), WAIT);
  });

  test('has bins whose recordings are taken over like those of the local file', async () => {
    const { desk, file, peer } = await remoteSite({ start });
    const two = await balance();
    const running = startAt(file);
    await desk.want(1, { links: [linkTo('two', two.address)] });
    await desk.told(1, 'applied');
    await moreReadings(peer, 'two');
    await running.stop();
    const recording = join(file, '../two.jsonl');
    const later = Date.UTC(2100, 0);
    writeFileSync(recording, encodeRecordingLine({ ...reading(0, 'two'), at: later }));
    await fillBack(readConfigFile(file), recording);
    startAt(file);
    await vi.waitFor(() => expect(peer.readings.map(({ at }) => at)).toContain(later), WAIT);
  });

  test('that came while the agent was away is taken up when it connects', async () => {
    const { desk, file } = await remoteSite({ start });
    await desk.want(1, { report: { heartbeatS: 2, minSamples: 2 } });
    startAt(file);
    expect(await desk.told(1, 'applied')).toMatchObject({ inForce: 1 });
  });

  test('with a broker that is not there is rolled back, and told to the old one', async () => {
    const { desk, peer, file } = await remoteSite({ start, ...FUTILE });
    startAt(file);
    await moreReadings(peer, 'one');
    await desk.want(1, { broker: `mqtt://127.0.0.1:${await freePort()}` });
    const { reason, inForce } = await desk.told(1, 'rolled-back');
    expect(reason).toMatch(/^within 2 s: broker mqtt:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect(inForce).toBe(0);
    await moreReadings(peer, 'one');
  });
});

describe('a configuration that is not valid', () => {
  test('is refused with every problem by its key, and nothing restarts', async () => {
    const { desk, peer, one, file, kept } = await remoteSite();
    startAt(file);
    await moreReadings(peer, 'one');
    const links = [linkTo('one', 'nowhere', { timeoutMs: 1 }), linkTo('two', '127.0.0.1:1')];
    await desk.want(1, {
      links,
      uplink: { batchReadings: 0 },
      dataDir: 'elsewhere',
      colour: 'red',
    });
    const { problems, inForce, reason } = await desk.told(1, 'refused');
    expect(problems?.map(({ key }) => key).toSorted()).toEqual([
      'colour',
      'dataDir',
      'links.0.address',
      'links.0.timeoutMs',
      'uplink.batchReadings',
    ]);
    expect({ inForce, reason }).toEqual({ inForce: 0, reason: '5 faults' });
    expect(kept()).toMatchObject({ applied: null, trial: null });
    await moreReadings(peer, 'one');
    expect(one.sockets).toHaveLength(1);
  });

  test.each(['agent', 'dataDir', 'outbox', 'clock', 'remote'])('for it sets %s', async (key) => {
    const { desk, file } = await remoteSite();
    startAt(file);
    await desk.want(1, { [key]: { id: 'other' } });
    expect(await desk.told(1, 'refused')).toMatchObject({ problems: [{ key }] });
  });

  test('together with the local file is judged as one', async () => {
    const { desk, file, edit, one } = await remoteSite();
    edit({ links: [linkTo('one', one.address), linkTo('two', '127.0.0.1:9')] });
    startAt(file);
    await desk.want(1, { tls: { ca: 'ca.crt' } });
    expect(await desk.told(1, 'refused')).toMatchObject({
      problems: [{ key: 'broker', expected: 'mqtts://…, since tls is set' }],
    });
  });

  test.each([
    ['no JSON', '{"version":', 0],
    ['no version', '{"config":{}}', 0],
    ['too large', JSON.stringify({ version: 4, config: { log: 'x'.repeat(300_000) } }), 0],
    ['no sections', '{"version":4,"config":[]}', 4],
    [
      'nested too deep',
      `{"version":4,"config":{"log":${'['.repeat(60_000)}${']'.repeat(60_000)}}}`,
      4,
    ],
  ])('as it has %s is told, and the next one is taken', async (_, payload, version) => {
    const { desk, file } = await remoteSite();
    startAt(file);
    await desk.send(payload);
    expect((await desk.told(version, 'refused')).reason).not.toBe('');
    await desk.want(5, { uplink: { healthS: 5 } });
    await desk.told(5, 'applied');
  });
});

describe('a trial', () => {
  test('of a wrong address is rolled back, with the reason, and the scale is read again', async () => {
    const { desk, peer, file, kept } = await remoteSite(FUTILE);
    startAt(file);
    await moreReadings(peer, 'one');
    const nowhere = `127.0.0.1:${await freePort()}`;
    await desk.want(1, { links: [linkTo('one', nowhere)] });
    const { reason, inForce } = await desk.told(1, 'rolled-back');
    expect(reason).toMatch(/^within 2 s: link one: no weight from one \(.*ECONNREFUSED/);
    expect(inForce).toBe(0);
    expect(kept()).toMatchObject({ applied: null, trial: null });
    await moreReadings(peer, 'one');
    expect(peer.folded.map(({ seq }) => seq)).toEqual(
      peer.folded.map((_batch, index) => index + 1),
    );
  });

  test('of a new link that does not answer is rolled back', async () => {
    const { desk, one, file } = await remoteSite(FUTILE);
    startAt(file);
    const two = await balance();
    two.isSilent = true;
    await desk.want(1, { links: [linkTo('one', one.address), linkTo('two', two.address)] });
    expect((await desk.told(1, 'rolled-back')).reason).toContain('link two: no weight from two');
  });

  test('that makes a link fall silent which it does not change is rolled back', async () => {
    const { desk, peer, one, file, edit } = await remoteSite(FUTILE);
    const first = linkTo('one', one.address, { timeoutMs: 500 });
    edit({ links: [first] });
    startAt(file);
    await moreReadings(peer, 'one');
    // As a gateway that serves one line less for each one more: whoever is asked first is silent
    // from then on, and has been asked in vain before the other one answers.
    let isServed = false;
    const two = await tcpDevice((_, socket) => {
      if (isServed) socket.write(WEIGHT);
      one.isSilent = true;
      one.onAsked = () => {
        if (!isServed) socket.write(WEIGHT);
        isServed = true;
      };
    });
    await desk.want(1, { links: [first, linkTo('two', two.address)] });
    expect((await desk.told(1, 'rolled-back')).reason).toContain('link one: no weight from one');
    one.isSilent = false;
    await moreReadings(peer, 'one');
  });

  test('does not wait for a link that was silent before and is as it was', async () => {
    const { desk, peer, one, file, edit } = await remoteSite();
    const mute = linkTo('mute', `127.0.0.1:${await freePort()}`);
    edit({ links: [linkTo('one', one.address), mute] });
    startAt(file);
    await moreReadings(peer, 'one');
    const two = await balance();
    const links = [linkTo('one', one.address), mute, linkTo('two', two.address)];
    await desk.want(1, { links });
    await desk.told(1, 'applied');
  });

  test('does not wait for a new bin that is not connected yet, where its link gives weights', async () => {
    const gateway = await modbusGateway();
    const hall = (...units: number[]): object => ({
      name: 'hall',
      protocol: 'modbus-tcp',
      address: gateway.address,
      timeoutMs: 200,
      sensors: units.map(countOf),
    });
    const { desk, peer, file, edit } = await remoteSite();
    edit({ links: [hall(1)] });
    startAt(file);
    await moreReadings(peer, 'pieces-1');
    await desk.want(1, { links: [hall(1, 2)] });
    await desk.told(1, 'applied');
  });

  test('of a broker without the cloud behind it is rolled back', async () => {
    const { desk, peer, file } = await remoteSite({ trialS: 3 });
    const other = await aedesBroker();
    onTestFinished(() => other.stop());
    startAt(file);
    await moreReadings(peer, 'one');
    // Something waits for a receipt, and moves with the agent.
    peer.manner = () => 'lose';
    const { length } = peer.arrived;
    await vi.waitFor(() => expect(peer.arrived.length).toBeGreaterThan(length), WAIT);
    await desk.want(1, { broker: other.url });
    const { reason } = await desk.told(1, 'rolled-back');
    expect(reason).toMatch(
      /^within 3 s: broker mqtt:.*: (no receipt from the cloud|no connection)/,
    );
    expect(reason).toContain(other.url);
    peer.manner = () => 'receipt';
    await moreReadings(peer, 'one');
  });

  test('of a broker with the cloud behind it moves the agent there', async () => {
    const { desk, peer, file, one } = await remoteSite();
    const other = await aedesBroker();
    onTestFinished(() => other.stop());
    const there = { desk: await Desk.at(other.url), peer: await CloudPeer.at(other.url, NORTH) };
    onTestFinished(() => there.peer.close());
    startAt(file);
    await moreReadings(peer, 'one');
    await desk.want(1, { broker: other.url });
    await there.desk.told(1, 'applied');
    await moreReadings(there.peer, 'one');
    expect(one.sockets).toHaveLength(1);
    await vi.waitFor(() => expect(peer.statuses.at(-1)?.online).toBe(false), WAIT);
  });

  test('is waited for by the versions that come meanwhile, of which the newest counts', async () => {
    const { desk, peer, file, one } = await remoteSite();
    startAt(file);
    await moreReadings(peer, 'one');
    const two = await balance();
    two.isSilent = true;
    await desk.want(1, { links: [linkTo('two', two.address, { timeoutMs: 500 })] });
    await desk.told(1, 'trial');
    await desk.want(2, { links: [linkTo('one', `127.0.0.1:${await freePort()}`)] });
    await desk.want(3, { links: [linkTo('one', one.address, { timeoutMs: 700 })] });
    // It is answered once what came before it has been heard.
    const { length } = desk.reports;
    await desk.want(3, {});
    await vi.waitFor(() => expect(desk.reports.length).toBeGreaterThan(length), WAIT);
    expect(desk.reports.at(-1)).toMatchObject({ version: 1, state: 'trial' });
    two.isSilent = false;
    await desk.told(3, 'applied');
    const states = desk.reports.slice(length + 1).map(({ version, state }) => [version, state]);
    expect(states).toEqual([
      [1, 'applied'],
      [3, 'trial'],
      [3, 'applied'],
    ]);
    await moreReadings(peer, 'one');
  });

  test('is not begun where the disk does not keep it, and comes with the next connection', async () => {
    const { desk, peer, broker, file, dataDir, kept } = await remoteSite();
    startAt(file);
    await moreReadings(peer, 'one');
    // A folder where the temporary file should be.
    mkdirSync(join(dataDir, 'remote-config.json.new/x'), { recursive: true });
    await desk.want(1, { uplink: { healthS: 7 } });
    expect((await desk.told(1, 'refused')).reason).toContain('it is tried again with the next');
    expect(kept()).toBeNull();
    renameSync(join(dataDir, 'remote-config.json.new'), join(dataDir, 'away'));
    await broker.stop();
    await broker.restart();
    await desk.want(1, { uplink: { healthS: 7 } });
    await desk.told(1, 'applied');
  });
});

describe('versions', () => {
  test('only grow: an older or repeated one is answered with the report', async () => {
    const { desk, file, kept } = await remoteSite();
    startAt(file);
    await desk.want(5, { uplink: { healthS: 5 } });
    const report = await desk.told(5, 'applied');
    for (const version of [4, 5]) {
      const before = desk.reports.length;
      await desk.want(version, { log: 'verbose' });
      await vi.waitFor(() => expect(desk.reports.length).toBeGreaterThan(before), WAIT);
      expect(desk.reports.at(-1)).toEqual(report);
    }
    expect(kept()).toMatchObject({ applied: { version: 5, config: { uplink: { healthS: 5 } } } });
  });

  test('end with one that has no sections: the local file alone is in force', async () => {
    const { desk, one, peer, file } = await remoteSite();
    startAt(file);
    const two = await balance();
    await desk.want(1, { links: [linkTo('two', two.address)] });
    await desk.told(1, 'applied');
    await moreReadings(peer, 'two');
    expect(one.sockets.every(({ destroyed }) => destroyed)).toBe(true);
    await desk.want(2, {});
    await desk.told(2, 'applied');
    await moreReadings(peer, 'one');
    expect(two.sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test('may take a bin away and bring it back: a gap is told, and no reading comes twice', async () => {
    const { desk, one, peer, file } = await remoteSite();
    startAt(file);
    const two = await balance();
    const both = { links: [linkTo('one', one.address), linkTo('two', two.address)] };
    await desk.want(1, both);
    await moreReadings(peer, 'two');
    await desk.want(2, {});
    await desk.told(2, 'applied');
    // Longer than one and a half heartbeats.
    await moreReadings(peer, 'one', 3);
    await desk.want(3, both);
    await moreReadings(peer, 'two');
    await vi.waitFor(() => {
      const gaps = peer.folded.flatMap((batch) => batch.gaps);
      expect(gaps.find(({ bin }) => bin === 'two')).toMatchObject({ why: 'not-measured' });
    }, WAIT);
    const times = peer.readings.filter(({ bin }) => bin === 'two').map(({ at }) => at);
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  });

  test('change how is reported and sent without a restart of anything', async () => {
    const { desk, peer, one, file, dataDir } = await remoteSite();
    startAt(file);
    await moreReadings(peer, 'one');
    const [session] = peer.statuses.map((status) => status.session);
    const before = await askStatus(dataDir);
    expect(before.config).toMatchObject({ version: null, remote: null });
    await desk.want(1, { report: { heartbeatS: 1, minSamples: 7 }, uplink: { healthS: 1 } });
    await desk.told(1, 'applied');
    await vi.waitFor(() => {
      expect(peer.readings.at(-1)?.samples).toBeGreaterThanOrEqual(7);
    }, WAIT);
    expect(one.sockets).toHaveLength(1);
    expect(new Set(peer.statuses.map((status) => status.session))).toEqual(new Set([session]));
    const after = await askStatus(dataDir);
    expect(after.config).toMatchObject({ version: '1', remote: { state: 'applied', version: 1 } });
    expect(after.links[0]?.slaves[0]?.reads).toBeGreaterThan(
      before.links[0]?.slaves[0]?.reads ?? 0,
    );
  });

  test('that no longer go with what is on the machine are withdrawn for as long as they do not', async () => {
    const { desk, peer, one, file } = await remoteSite();
    const gateway = await modbusGateway();
    const own = join(file, '../own.yaml');
    const profile = readFileSync(GENERIC, 'utf8');
    writeFileSync(own, profile);
    const scale = { unit: 1, profile: './own.yaml', divisionMg: 1, countMg: 1, pollMs: 50 };
    const hall = { name: 'hall', protocol: 'modbus-tcp', address: gateway.address };
    const first = startAt(file);
    await desk.want(1, { links: [{ ...hall, scales: [{ bin: 'two', ...scale }] }] });
    await desk.told(1, 'applied');
    await moreReadings(peer, 'two');
    await first.stop();

    rmSync(own);
    const asked = one.asked;
    const second = startAt(file);
    expect(await desk.told(1, 'rolled-back')).toMatchObject({
      inForce: 0,
      reason: 'it no longer goes with the local file: 1 fault',
      problems: [{ key: 'links.0.scales.0.profile' }],
    });
    await vi.waitFor(() => expect(one.asked).toBeGreaterThan(asked), WAIT);
    await second.stop();

    writeFileSync(own, profile);
    startAt(file);
    expect(await desk.told(1, 'applied')).toMatchObject({ inForce: 1 });
    await moreReadings(peer, 'two');
  });

  test('are set aside with their file where it is damaged, and taken anew', async () => {
    const { desk, file, dataDir, peer, kept } = await remoteSite();
    let running = startAt(file);
    await desk.want(1, { uplink: { healthS: 7 } });
    await desk.told(1, 'applied');
    await running.stop();
    await desk.send('');
    const path = join(dataDir, 'remote-config.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"healthS":7', '"healthS":8'));
    running = startAt(file);
    expect(await desk.told(0, 'rolled-back')).toMatchObject({
      inForce: 0,
      reason: 'its file was damaged: its checksum does not fit',
    });
    await moreReadings(peer, 'one');
    expect(
      readdirSync(dataDir).some((name) => name.startsWith('remote-config.json.corrupt-')),
    ).toBe(true);
    await desk.want(1, { uplink: { healthS: 7 } });
    await desk.told(1, 'applied');
    expect(kept()).toMatchObject({ applied: { version: 1 } });
  });
});
