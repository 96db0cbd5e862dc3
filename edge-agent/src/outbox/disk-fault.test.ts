import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { agentId, binId, type Epoch } from '#shared/ids.ts';
import { WAIT } from '#shared/testing/patience.ts';
import type { Live } from '#shared/wire/live.ts';
import { Outbox } from './outbox.ts';
import { aedesBroker } from '../testing/brokers.ts';
import { CloudPeer } from '../testing/cloud-peer.ts';
import { entries, reading } from '../testing/entries.ts';
import { freshFolder } from '../testing/folder.ts';
import {
  amongMounts,
  requireMounts,
  spawnWithMounts,
  type Mounted,
} from '../testing/own-mounts.ts';
import { tcpDevice } from '../testing/tcp-device.ts';

const MAIN = join(import.meta.dirname, '../main.ts');

interface Site {
  readonly root: string;
  readonly data: string;
  readonly peer: CloudPeer;
  /** Readings that were shown and not yet counted, as `bin at`. */
  readonly shown: () => Set<string>;
  readonly start: (mounts: string) => Mounted;
}

/** A scale, a broker and the cloud's end of it, and an agent that is yet to be started. */
async function site(dataDir = 'data'): Promise<Site> {
  const broker = await aedesBroker();
  onTestFinished(() => broker.stop());
  const peer = await CloudPeer.at(broker.url, agentId('acme-north'));
  onTestFinished(() => peer.close());
  const { address } = await tcpDevice((_, socket) => socket.write('S S     100.00 g\r\n'));
  const root = freshFolder();
  const config = join(root, 'agent.yaml');
  writeFileSync(
    config,
    `
agent: { id: acme-north, secret: s }
broker: ${broker.url}
dataDir: ${dataDir}
report: { heartbeatS: 1, minSamples: 2 }
clock: { source: trusted }
links:
  - name: lab
    protocol: mt-sics
    tare: locked
    address: ${address}
    timeoutMs: 30000
    scales: [{ bin: a1, divisionMg: 10, pollMs: 50 }]
`,
  );
  const start = (mounts: string): Mounted => {
    const agent = spawnWithMounts(mounts, [process.execPath, MAIN, '--config', config]);
    agent.stdout.resume();
    const exited = once(agent, 'exit');
    onTestFinished(async () => {
      agent.kill('SIGKILL');
      await exited;
    });
    return agent;
  };
  const shown = (): Set<string> =>
    new Set((peer.live as Live[]).flatMap(({ readings }) => readings.map(keyOf)));
  return { root, data: join(root, dataDir), peer, shown, start };
}

const keyOf = ({ bin, at }: { bin: string; at: number }): string => `${bin} ${at}`;

/** An outbox of the days before: two batches sealed and ten readings not. */
function earlier(folder: string): Epoch {
  const outbox = new Outbox(folder, { stamp: 'x' });
  outbox.append(entries(1, 20));
  outbox.seal(2, 10);
  outbox.append(entries(21, 30));
  outbox.close();
  return outbox.epoch;
}

const readOnly = (folder: string): string =>
  `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder}`;

const alarmOf = ({ statuses }: CloudPeer): string => statuses.at(-1)?.alarms?.join() ?? '';

/** Readings are shown while they cannot be counted, and the cloud is told why. */
async function expectWaiting({ peer, shown }: Site): Promise<void> {
  await vi.waitFor(() => expect(shown().size).toBeGreaterThan(1), WAIT);
  await vi.waitFor(() => expect(alarmOf(peer)).toContain('readings wait in memory'), WAIT);
}

/** What was shown is counted now, in order, and the alarm is over. */
async function expectCounted({ peer, shown }: Site): Promise<void> {
  const waited = [...shown()];
  const counted = (): string[] => peer.readings.map(keyOf);
  await vi.waitFor(() => expect(new Set(counted()).isSupersetOf(new Set(waited))).toBe(true), WAIT);
  await vi.waitFor(() => expect(alarmOf(peer)).toBe(''), WAIT);
  const times = peer.readings.map(({ at }) => at);
  expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b));
  expect(peer.folded.flatMap(({ gaps }) => gaps).filter(({ count }) => count > 0)).toEqual([]);
}

describe.skipIf(!requireMounts())('an agent that is started', () => {
  test('on a read-only disk sends what is sealed, and goes on with the same outbox', async () => {
    const here = await site();
    const { data, peer, start } = here;
    const epoch = earlier(data);
    const agent = start(readOnly(data));
    await vi.waitFor(() => expect(peer.upTo).toBe(2), WAIT);
    await expectWaiting(here);
    expect(peer.upTo).toBe(2);
    amongMounts(agent, `mount -o remount,bind,rw ${data}`);
    await expectCounted(here);
    expect(new Set(peer.folded.map((batch) => batch.epoch))).toEqual(new Set([epoch]));
    const old = peer.readings.slice(0, 30);
    expect(old).toEqual(Array.from({ length: 30 }, (_, n) => reading(n + 1)));
    expect(peer.folded[2]?.oldest).toBe(3);
    const status = spawnSync(
      process.execPath,
      [MAIN, 'status', '--config', `${data}/../agent.yaml`],
      {
        encoding: 'utf8',
      },
    );
    expect(status.stdout).toContain('agent    acme-north');
    expect(status.stdout).not.toContain('ALARM');
  });

  test('where its folder cannot be made makes it as soon as it can', async () => {
    const here = await site('disk/data');
    const disk = join(here.root, 'disk');
    mkdirSync(disk);
    const agent = here.start(readOnly(disk));
    await expectWaiting(here);
    expect(here.peer.readings).toEqual([]);
    amongMounts(agent, `mount -o remount,bind,rw ${disk}`);
    await expectCounted(here);
  });

  test('without a byte of room starts its outbox when there is room', async () => {
    const here = await site('disk/data');
    const disk = join(here.root, 'disk');
    mkdirSync(disk);
    const fill = `mount -t tmpfs -o size=64k none ${disk} && ! head -c 1M /dev/zero > ${disk}/full`;
    const agent = here.start(`${fill} 2>/dev/null`);
    await expectWaiting(here);
    amongMounts(agent, `mount -o remount,size=64M ${disk}`);
    await expectCounted(here);
  });

  test('without a lock writes nothing until it has it', async () => {
    const here = await site();
    const { data, peer, start } = here;
    const epoch = earlier(data);
    const lock = join(data, 'agent.lock');
    writeFileSync(lock, '');
    const agent = start(readOnly(lock));
    await expectWaiting(here);
    expect(peer.upTo).toBe(2);
    amongMounts(agent, `mount -o remount,bind,rw ${lock}`);
    await expectCounted(here);
    expect(peer.folded.at(-1)?.epoch).toBe(epoch);
  });

  test('before its disk is there goes on after what it then finds on it', async () => {
    const here = await site('disk/data');
    const { data, root, peer, start } = here;
    const disk = join(root, 'disk');
    const epoch = earlier(join(root, 'other/data'));
    mkdirSync(disk);
    const agent = start(readOnly(disk));
    await expectWaiting(here);
    amongMounts(agent, `mount --bind ${root}/other ${disk}`);
    await expectCounted(here);
    expect(new Set(peer.folded.map((batch) => batch.epoch))).toEqual(new Set([epoch]));
    const [gap] = peer.folded.flatMap(({ gaps }) => gaps);
    expect(gap).toMatchObject({ bin: binId('a1'), from: reading(30).at, why: 'not-measured' });
    expect(data).toContain(disk);
  });

  test('and loses its disk while it runs shows what it measures, and counts it afterwards', async () => {
    const here = await site();
    const { peer, start } = here;
    const agent = start('true');
    await vi.waitFor(() => expect(peer.readings.length).toBeGreaterThan(1), WAIT);
    expect(here.shown().size).toBe(0);
    const limit = (bytes: string): void => {
      expect(spawnSync('prlimit', ['--pid', String(agent.pid), `--fsize=${bytes}:`]).status).toBe(
        0,
      );
    };
    limit('0');
    await expectWaiting(here);
    limit('unlimited');
    await expectCounted(here);
  });
});
