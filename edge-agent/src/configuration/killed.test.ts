import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
import { balance, linkTo, moreReadings, remoteSite } from '../testing/remote-site.ts';
import type { CloudPeer } from '../testing/cloud-peer.ts';

const MAIN = join(import.meta.dirname, '../main.ts');

/** Runs the program. @returns what kills it as a power cut would */
function run(file: string): () => Promise<void> {
  const child = spawn(process.execPath, [MAIN, '--config', file], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  return kill;
}

/** Nothing lost, nothing counted twice, and it is the same store. */
function expectUnbroken(peer: CloudPeer): void {
  expect(peer.folded.map(({ seq }) => seq)).toEqual(peer.folded.map((_batch, index) => index + 1));
  expect(new Set(peer.folded.map(({ epoch }) => epoch)).size).toBe(1);
}

test('killed in mid-trial, the next start rolls back, says so, and reads as before', async () => {
  const { desk, peer, one, file, kept } = await remoteSite();
  const kill = run(file);
  await moreReadings(peer, 'one');
  const mute = await balance();
  mute.isSilent = true;
  await desk.want(1, { links: [linkTo('one', mute.address)] });
  await vi.waitFor(() => expect(mute.asked).toBeGreaterThan(0), WAIT);
  expect(kept()).toMatchObject({ applied: null, trial: { version: 1 } });
  await kill();
  const { asked } = one;
  run(file);
  expect(await desk.told(1, 'rolled-back')).toMatchObject({
    inForce: 0,
    reason: 'the agent ended while this version was tried',
  });
  expect(kept()).toMatchObject({ applied: null, trial: null });
  expect(one.asked).toBeGreaterThan(asked);
  await moreReadings(peer, 'one');
  expectUnbroken(peer);
});

test('killed as soon as it is applied, the next start follows it without a broker', async () => {
  const { broker, desk, peer, one, file, kept } = await remoteSite();
  const kill = run(file);
  await moreReadings(peer, 'one');
  const two = await balance();
  await desk.want(1, { links: [linkTo('two', two.address)] });
  await vi.waitFor(() => expect(kept()?.applied?.version).toBe(1), { ...WAIT, interval: 1 });
  await kill();
  await broker.stop();
  const { asked } = two;
  const before = one.asked;
  run(file);
  await vi.waitFor(() => expect(two.asked).toBeGreaterThan(asked), WAIT);
  expect(one.asked).toBe(before);
  await broker.restart();
  await moreReadings(peer, 'two');
  expectUnbroken(peer);
});

test('killed anywhere between receiving and telling, a version is applied or rolled back', async () => {
  const { desk, peer, one, file, kept } = await remoteSite();
  const moments: ((version: number) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    (version) =>
      vi.waitFor(
        () => expect([kept()?.trial?.version, kept()?.applied?.version]).toContain(version),
        { ...WAIT, interval: 1 },
      ),
    (version) =>
      vi.waitFor(() => expect(desk.reports.at(-1)?.version).toBe(version), {
        ...WAIT,
        interval: 1,
      }),
  ];
  let kill = run(file);
  await moreReadings(peer, 'one');
  for (const [index, moment] of moments.entries()) {
    const version = index + 1;
    await desk.want(version, { links: [linkTo('one', one.address, { timeoutMs: 600 + version })] });
    await moment(version);
    await kill();
    kill = run(file);
    await vi.waitFor(() => {
      const { state, version: of, inForce } = desk.reports.at(-1) ?? {};
      expect(of).toBe(version);
      expect(state).toMatch(/^(applied|rolled-back)$/);
      expect(inForce).toBe(kept()?.applied?.version ?? 0);
      expect(inForce === version).toBe(state === 'applied');
    }, WAIT);
    await moreReadings(peer, 'one');
  }
  expectUnbroken(peer);
});
