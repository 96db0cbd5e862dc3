import { spawnSync } from 'node:child_process';
import { binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import { Intake } from '../intake/intake.ts';
import { Outbox } from '../outbox/outbox.ts';
import { Upkeep } from '../outbox/upkeep.ts';
import { T0 } from './entries.ts';

/**
 * Takes readings with a limit on the size of its files until memory has had to drop some, lifts the
 * limit, and goes on. Says on standard output what happens: `full`, `lost`, `room`, `done`.
 */
const [, , folder = ''] = process.argv;
const bins = ['a', 'b', 'c'].map(binId);
const outbox = new Outbox(folder, { stamp: 'x' });
const intake = new Intake({
  outbox,
  log: createLog('agent', 'silent'),
  heartbeatMs: 3_600_000,
  bins: new Map(bins.map((bin) => [bin, { unit: 'mg', division: 10 }])),
  ramBytes: 262_144,
  onCommit: () => {},
});
const upkeep = new Upkeep({
  outbox,
  quota: { maxBytes: 1e9, maxAgeMs: 1e15, minFreeBytes: 0, ramBytes: 0 },
  log: createLog('agent', 'silent'),
  diskFreeBytes: () => 0,
  monotonicMs: () => 0,
  trustedAt: () => null,
});
let readings = 0;

function take(): void {
  for (let group = 0; group < 20; group += 1) {
    for (const bin of bins) {
      const value = (readings % 1_000) * 100;
      const level = { at: T0 + readings * 1_000, value, samples: 5, spread: 1 };
      intake.take(bin, { ...level, quality: 'good' }, { synced: true, segment: null });
      readings += 1;
    }
  }
  intake.commit();
  upkeep.tick();
}

function say(says: string): void {
  process.stdout.write(`${JSON.stringify({ says, readings, lost: intake.disk.lost })}\n`);
}

while (intake.disk.fault === null) take();
say('full');
while (intake.disk.lost === 0) take();
say('lost');
spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited']);
if (!intake.commit()) throw new Error('the disk has room and is not written');
say('room');
for (let n = 0; n < 10; n += 1) take();
say('done');
outbox.close();
