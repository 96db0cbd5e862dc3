import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { agentId } from '#shared/ids.ts';
import { createLog, type Log } from '#shared/log.ts';
import {
  createAuthority,
  type Authority,
  type CertificateFiles,
} from '#shared/testing/certificates.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import { topicOf } from '#shared/wire/topics.ts';
import { openEmbeddedBroker } from '../../../cloud/src/broker/embedded.ts';
import type { Credential, Endpoint } from './connection.ts';
import { Outbox } from '../outbox/outbox.ts';
import { mosquittoBroker } from '../testing/brokers.ts';
import { entry } from '../testing/entries.ts';
import { freshFolder } from '../testing/folder.ts';
import type { TlsConfig } from './tls.ts';
import { Uplink } from './uplink.ts';

const NORTH = agentId('acme-north');
const SECRET = 'north-secret';
const log = createLog('test', 'silent');

interface TlsBroker {
  readonly port: number;
  /** What the agent published on `readings`, as seen by the cloud's own client. */
  readonly heard: Promise<void>;
}
type StartBroker = (server: CertificateFiles, clients: Authority) => Promise<TlsBroker>;

const message = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => {
    client.once('message', () => resolve());
  });

/** As in the cloud, where client certificates are optional. */
const embedded: StartBroker = async ({ cert, key }, { cert: ca }) => {
  const broker = await openEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    tls: { cert, key, ca },
    authenticate: (agent, secret) => Promise.resolve(agent === NORTH && secret === SECRET),
    isAgent: (agent) => Promise.resolve(agent === NORTH),
    mayObserve: () => Promise.resolve(false),
    log,
  });
  onTestFinished(() => broker.close());
  const { url, ...login } = broker.access;
  const client = await connectAsync(url, login);
  onTestFinished(() => client.endAsync(true));
  await client.subscribeAsync(topicOf(NORTH, 'readings'), { qos: 1 });
  return { port: broker.address.port, heard: message(client) };
};

/** Demands a client certificate and takes its CN for the user's name. */
const mosquitto: StartBroker = async ({ cert, key }, clients) => {
  const ca = clients.cert;
  const settings = [`certfile ${cert}`, `keyfile ${key}`, `cafile ${ca}`];
  const demands = ['require_certificate true', 'use_identity_as_username true'];
  const broker = await mosquittoBroker([...settings, ...demands]);
  onTestFinished(() => broker.stop());
  const port = Number(new URL(broker.url).port);
  const own = clients.issue('reader');
  const client = await connectAsync(`mqtts://127.0.0.1:${port}`, {
    ca: readFileSync(ca),
    cert: readFileSync(own.cert),
    key: readFileSync(own.key),
  });
  onTestFinished(() => client.endAsync(true));
  await client.subscribeAsync(topicOf(NORTH, 'readings'), { qos: 1 });
  return { port, heard: message(client) };
};

/** Warnings as the operator would read them. */
function listeningLog(): { readonly log: Log; readonly faults: string[] } {
  const faults: string[] = [];
  const spy = createLog('agent', 'silent');
  spy.warn = (details: unknown): void => {
    if (typeof details === 'object' && details !== null && 'fault' in details) {
      faults.push(String(details.fault));
    }
  };
  return { log: spy, faults };
}

function startUplink(endpoint: Endpoint, agent: Credential = { id: NORTH }) {
  const outbox = new Outbox(freshFolder(), { stamp: 'now' });
  onTestFinished(() => outbox.close());
  outbox.append([entry(1)]);
  const said = listeningLog();
  const uplink = new Uplink({
    ...endpoint,
    agent,
    outbox,
    clock: systemClock,
    log: said.log,
    version: '1',
    batchReadings: 10,
    healthMs: 60_000,
    devices: () => [],
    onFatal: (error) => {
      throw error;
    },
  });
  onTestFinished(() => uplink.stop(100));
  uplink.start();
  return { uplink, faults: said.faults };
}

const BROKERS: readonly (readonly [string, StartBroker])[] = [
  ['the embedded broker', embedded],
  ...(requireProgram('mosquitto') ? ([['mosquitto', mosquitto]] as const) : []),
];

const hasOpenssl = requireProgram('openssl');

describe.runIf(hasOpenssl).each(BROKERS)('TLS to %s', (_, start) => {
  const names = 'IP:127.0.0.1,DNS:broker.example';

  test('with a CA of our own and a client certificate, and no secret', async () => {
    const ca = createAuthority(freshFolder());
    const broker = await start(ca.issue('broker', { names }), ca);
    const tls = { ca: ca.cert, ...ca.issue(NORTH) };
    startUplink({ broker: `mqtts://127.0.0.1:${broker.port}`, tls });
    await broker.heard;
  });

  test('with another CA from afar, which ends one session and begins the next', async () => {
    const ca = createAuthority(freshFolder());
    const other = createAuthority(freshFolder(), 'other');
    const { port, heard } = await start(ca.issue('broker', { names }), ca);
    const broker = `mqtts://127.0.0.1:${port}`;
    const own = ca.issue(NORTH);
    const { uplink, faults } = startUplink({ broker, tls: { ca: other.cert, ...own } });
    await vi.waitFor(() => expect(faults).not.toEqual([]), WAIT);
    const settings = { broker, tls: { ca: ca.cert, ...own }, batchReadings: 10 };
    await uplink.reconfigure({ ...settings, healthMs: 60_000 });
    await heard;
    const { since } = uplink.state();
    await uplink.reconfigure({ ...settings, healthMs: 1_000 });
    expect(uplink.state()).toMatchObject({ isConnected: true, since });
  });

  test('refuses a broker of another CA, another name, or none at all', async () => {
    const ca = createAuthority(freshFolder());
    const { port } = await start(ca.issue('broker', { names }), ca);
    const broker = `mqtts://127.0.0.1:${port}`;
    const other = createAuthority(freshFolder(), 'other');
    const own = ca.issue(NORTH);
    const cases: readonly (readonly [TlsConfig, RegExp])[] = [
      [{ ca: other.cert, ...own }, /unable to verify|self-signed|unable to get/],
      [{ ...own }, /unable to verify|self-signed|unable to get/],
      [{ ca: ca.cert, ...own, serverName: 'elsewhere.example' }, /altnames/],
      [{ ca: join(freshFolder(), 'none.crt'), ...own }, /tls\.ca cannot be read/],
    ];
    for (const [tls, fault] of cases) {
      const { uplink, faults } = startUplink({ broker, tls });
      await vi.waitFor(() => expect(faults.join()).toMatch(fault), WAIT);
      expect(uplink.isConnected).toBe(false);
      await uplink.stop(100);
    }
    const named = { ca: ca.cert, ...own, serverName: 'broker.example' };
    const { uplink } = startUplink({ broker, tls: named });
    await vi.waitFor(() => expect(uplink.isConnected).toBe(true), WAIT);
  });

  test('lets no agent in with a certificate of another CA', async () => {
    const ca = createAuthority(freshFolder());
    const { port } = await start(ca.issue('broker', { names }), ca);
    const broker = `mqtts://127.0.0.1:${port}`;
    const stranger = createAuthority(freshFolder(), 'other').issue(NORTH);
    const { uplink, faults } = startUplink({ broker, tls: { ca: ca.cert, ...stranger } });
    await vi.waitFor(() => expect(faults).not.toEqual([]), WAIT);
    expect(uplink.isConnected).toBe(false);
  });

  test('takes a renewed certificate without a restart', async () => {
    const ca = createAuthority(freshFolder());
    const { port } = await start(ca.issue('broker', { names }), ca);
    const missing = join(freshFolder(), 'ca.crt');
    const tls = { ca: missing, ...ca.issue(NORTH) };
    const { uplink, faults } = startUplink({ broker: `mqtts://127.0.0.1:${port}`, tls });
    await vi.waitFor(() => expect(faults).not.toEqual([]), WAIT);
    writeFileSync(missing, readFileSync(ca.cert));
    await vi.waitFor(() => expect(uplink.isConnected).toBe(true), WAIT);
  });
});

describe.runIf(hasOpenssl)('the embedded broker with TLS', () => {
  const names = 'IP:127.0.0.1';

  test('still takes a secret, of an agent that shows no certificate', async () => {
    const ca = createAuthority(freshFolder());
    const { port } = await embedded(ca.issue('broker', { names }), ca);
    const endpoint = { broker: `mqtts://127.0.0.1:${port}`, tls: { ca: ca.cert } };
    const right = startUplink(endpoint, { id: NORTH, secret: SECRET });
    await vi.waitFor(() => expect(right.uplink.isConnected).toBe(true), WAIT);
    const wrong = startUplink(endpoint, { id: NORTH, secret: 'guess' });
    await vi.waitFor(() => expect(wrong.faults.join()).toMatch(/Not authorized/), WAIT);
  });

  test("refuses the certificate of another agent, also beside this one's secret", async () => {
    const ca = createAuthority(freshFolder());
    const { port } = await embedded(ca.issue('broker', { names }), ca);
    const tls = { ca: ca.cert, ...ca.issue('acme-south') };
    const endpoint = { broker: `mqtts://127.0.0.1:${port}`, tls };
    for (const id of [NORTH, agentId('acme-south')]) {
      const { faults } = startUplink(endpoint, { id, secret: SECRET });
      await vi.waitFor(() => expect(faults.join()).toMatch(/Not authorized/), WAIT);
    }
  });

  test('does not speak without TLS, and closes amid handshakes', async () => {
    const ca = createAuthority(freshFolder());
    const { port } = await embedded(ca.issue('broker', { names }), ca);
    const plain = startUplink(
      { broker: `mqtt://127.0.0.1:${port}` },
      { id: NORTH, secret: SECRET },
    );
    await vi.waitFor(() => expect(plain.faults).not.toEqual([]), WAIT);
    expect(plain.uplink.isConnected).toBe(false);
    const silent = connect(port, '127.0.0.1');
    onTestFinished(() => void silent.destroy());
    await once(silent, 'connect');
  });
});

test.runIf(hasOpenssl)("the cloud's own port lets no agent past TLS", async () => {
  const ca = createAuthority(freshFolder());
  const broker = await openEmbeddedBroker({
    host: '127.0.0.1',
    port: 0,
    tls: ca.issue('broker', { names: 'IP:127.0.0.1' }),
    authenticate: () => Promise.resolve(true),
    isAgent: () => Promise.resolve(true),
    mayObserve: () => Promise.resolve(false),
    log,
  });
  onTestFinished(() => broker.close());
  const { uplink, faults } = startUplink(
    { broker: broker.access.url },
    { id: NORTH, secret: SECRET },
  );
  await vi.waitFor(() => expect(faults).not.toEqual([]), WAIT);
  expect(uplink.isConnected).toBe(false);
});
