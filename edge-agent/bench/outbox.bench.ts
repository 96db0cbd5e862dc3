import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '#shared/clock.ts';
import { agentId, binId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import type { Entry } from '../src/outbox/entry.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import { outboxSchema, quotaOf } from '../src/outbox/quota.ts';
import { Uplink } from '../src/uplink/uplink.ts';

const AGENT = { id: agentId('bench-agent'), secret: 'secret' };
const PEER = join(import.meta.dirname, 'outbox-peer.ts');
const T0 = 1_760_000_000_000;

/** A heartbeat every ten minutes, and two readings for each of some 450 picks a day. */
const READINGS_PER_HOUR_AND_BIN = 60;
const WEEK_HOURS = 7 * 24;

type Option = 'readings' | 'bins' | 'group' | 'batch';
type Figure =
  'committed_per_s' | 'drained_per_s' | 'reading_bytes' | 'outage_hours' | 'week_drain_s';

/** Levels that go down by picks, with the noise of a scale: no two batches look alike. */
function* groups({ readings, bins, group }: Readonly<Record<Option, number>>): Generator<Entry[]> {
  const clock = { boot: 'bench', offsetMs: T0, synced: true };
  const names = Array.from({ length: bins }, (_, n) => binId(`acme-north-a${n + 1}`));
  const levels = names.map((_, n) => 4_000_000 + n * 1_000);
  let seed = 1;
  for (let first = 0; first < readings; first += group) {
    const entries: Entry[] = [];
    for (let n = first; n < Math.min(first + group, readings); n += 1) {
      const place = n % bins;
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      levels[place] = Math.max(0, (levels[place] ?? 0) - (seed % 7) * 2_000) || 4_000_000;
      const at = T0 + Math.floor(n / bins) * 60_000 + place * 290 + (seed % 97);
      const [bin] = names.slice(place, place + 1);
      if (bin === undefined) continue;
      entries.push({
        reading: {
          bin,
          at,
          value: (levels[place] ?? 0) + (seed % 113),
          unit: 'mg',
          samples: 5 + (seed % 50),
          spread: 60 + (seed % 41),
          quality: 'good',
          synced: true,
        },
        gap: null,
        accountedTo: at,
        unconfirmed: n % 2 === 0,
        clock,
      });
    }
    yield entries;
  }
}

/** @returns readings a second; what makes them is not counted */
function commit(outbox: Outbox, options: Readonly<Record<Option, number>>): number {
  let spentMs = 0;
  for (const entries of groups(options)) {
    const from = performance.now();
    outbox.append(entries);
    spentMs += performance.now() - from;
  }
  return (options.readings / spentMs) * 1_000;
}

/** @returns readings a second, from the connection to the last receipt */
async function drain(outbox: Outbox, { readings, batch }: Record<Option, number>): Promise<number> {
  const peer = spawn(process.execPath, [PEER, AGENT.id, String(readings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(peer, 'exit');
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const port = String((await lines.next()).value).split(' ')[1] ?? '';
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const uplink = new Uplink({
    broker: `mqtt://127.0.0.1:${port}`,
    agent: AGENT,
    outbox,
    clock: systemClock,
    log: createLog('bench', 'silent'),
    version: 'bench',
    batchReadings: batch,
    healthMs: 60_000,
    devices: () => [],
    onFatal: reject,
  });
  const from = performance.now();
  uplink.start();
  try {
    const last = await Promise.race([lines.next(), failed]);
    if (String(last.value) !== `readings ${readings}`) throw new Error('the peer is gone');
    while (outbox.backlog > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return (readings / (performance.now() - from)) * 1_000;
  } finally {
    await uplink.stop(1_000);
    peer.kill();
    await exited;
  }
}

export const bench: Benchmark<Option, Figure> = {
  name: 'outbox',
  describe: "an agent's outbox on disk: filled while the cloud is away, drained when it is back",
  options: {
    readings: { default: 1_000_000, small: 3_000, describe: 'readings committed and drained' },
    bins: { default: 200, small: 20, describe: 'bins they are of' },
    group: { default: 1_000, small: 300, describe: 'readings in one commit with its fsync' },
    batch: { default: 500, small: 100, describe: 'readings in one message' },
  },
  figures: {
    committed_per_s: 'readings committed with fsync',
    drained_per_s: 'readings sent to a local broker, read by a peer, receipted and trimmed',
    reading_bytes: 'a reading on disk',
    outage_hours: 'outage that the default quota holds, at a reading a minute and bin, of 200 bins',
    week_drain_s: 'what a week of it takes to drain',
  },
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'outbox-bench-'));
    const outbox = new Outbox(folder, { stamp: 'bench' });
    try {
      const committed = commit(outbox, options);
      const readingBytes = outbox.shrinking.usage().usedBytes / options.readings;
      const drained = await drain(outbox, options);
      const perHour = 200 * READINGS_PER_HOUR_AND_BIN;
      const { maxBytes } = quotaOf(outboxSchema.parse(undefined));
      return {
        committed_per_s: Math.round(committed),
        drained_per_s: Math.round(drained),
        reading_bytes: Math.round(readingBytes * 10) / 10,
        outage_hours: Math.round(maxBytes / readingBytes / perHour),
        week_drain_s: Math.round((perHour * WEEK_HOURS) / drained),
      };
    } finally {
      outbox.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
