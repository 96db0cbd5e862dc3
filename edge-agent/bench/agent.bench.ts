import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { binId } from '#shared/ids.ts';
import { freePort } from '#shared/testing/ports.ts';
import type { Benchmark } from '../../bench/benchmark.ts';
import type { Entry } from '../src/outbox/entry.ts';
import { Outbox } from '../src/outbox/outbox.ts';
import { askStatus } from '../src/status/socket.ts';

const AGENT = join(import.meta.dirname, '../src/main.ts');
const SIMULATOR = join(import.meta.dirname, '../../firmware-sim/src/main.ts');

/** A device server in a hall has some twenty scales behind it. */
const SCALES_PER_LINK = 20;

/** Readings of one commit of the backlog. */
const GROUP = 20_000;

/** Ticks of utime and stime in /proc/PID/stat (proc(5)); USER_HZ is 100 on every Linux of today. */
const TICK_MS = 10;

type Option = 'bins' | 'seconds' | 'backlog';
type Figure = 'cpu_percent' | 'rss_mb' | 'first_reading_ms' | 'failed_reads_count';

interface Link {
  readonly name: string;
  readonly port: number;
  readonly bins: readonly { readonly bin: string; readonly unit: number }[];
}

async function linksOf(bins: number): Promise<Link[]> {
  const links: Link[] = [];
  for (let first = 0; first < bins; first += SCALES_PER_LINK) {
    const count = Math.min(SCALES_PER_LINK, bins - first);
    links.push({
      name: `hall-${links.length + 1}`,
      port: await freePort(),
      bins: Array.from({ length: count }, (_, n) => ({ bin: `bin-${first + n + 1}`, unit: n + 1 })),
    });
  }
  return links;
}

const scenario = (links: readonly Link[]): object => ({
  name: 'bench',
  seed: 1,
  historyDays: 1,
  customers: [{ id: 'acme', name: 'Acme' }],
  products: [{ id: 'screw', name: 'Screw', unit: 'piece', pieceMassMg: 4_000, scatterMg: 40 }],
  sites: [
    {
      id: 'north',
      name: 'North',
      customer: 'acme',
      timeZone: 'Europe/Berlin',
      agent: 'acme-north',
      links: links.map(({ name, port, bins }) => ({
        name,
        protocol: 'modbus-tcp',
        port,
        scales: bins.map(({ bin, unit }) => ({
          bin,
          name: bin,
          product: 'screw',
          unit,
          profile: 'dini-argeo-dgt',
          capacityMg: 15_000_000,
          tareMg: 350_000,
          divisionMg: 500,
          countMg: 100,
          noiseMg: 300,
          driftMgPerSqrtH: 30,
          stock: { initial: 2_000, refillAt: 300, refillTo: 2_400, refillDelayH: 1 },
          use: { perDay: 6_000, pickMin: 1, pickMax: 20, rhythm: 'round-the-clock' },
        })),
      })),
    },
  ],
});

/** Nobody listens at the broker's port: the cloud is away, and the backlog stays. */
const configuration = (links: readonly Link[], brokerPort: number): object => ({
  agent: { id: 'acme-north', secret: 'bench' },
  broker: `mqtt://127.0.0.1:${brokerPort}`,
  dataDir: 'data',
  log: 'warn',
  links: links.map(({ name, port, bins }) => ({
    name,
    protocol: 'modbus-tcp',
    address: `127.0.0.1:${port}`,
    scales: bins.map((bin) => ({
      ...bin,
      profile: 'dini-argeo-dgt',
      countMg: 100,
      divisionMg: 500,
    })),
  })),
});

/** Readings of the days before. */
function fill(folder: string, backlog: number, links: readonly Link[]): void {
  const bins = links.flatMap((link) => link.bins.map(({ bin }) => binId(bin)));
  const outbox = new Outbox(folder, { stamp: 'bench' });
  const from = Date.now() - 1_000 * Math.ceil(backlog / bins.length) - 3_600_000;
  for (let first = 0; first < backlog; first += GROUP) {
    const entries = Array.from({ length: Math.min(GROUP, backlog - first) }, (_, n): Entry => {
      const row = first + n;
      const at = from + 1_000 * Math.floor(row / bins.length);
      const bin = bins[row % bins.length] ?? binId('bin-1');
      const level = { value: 8_000_000 - (row % 4_099) * 500, samples: 5, spread: 120 };
      return {
        reading: { bin, at, unit: 'mg', quality: 'good', synced: true, ...level },
        gap: null,
        accountedTo: at,
        unconfirmed: false,
        clock: null,
      };
    });
    outbox.append(entries);
  }
  outbox.close();
}

/** Settles when the program's log says that it is ready. */
async function ready(program: ChildProcess): Promise<void> {
  if (program.stdout === null) throw new Error('no output to wait for');
  for await (const line of createInterface({ input: program.stdout })) {
    if (!line.includes('"msg":"ready"')) continue;
    program.stdout.resume();
    return;
  }
  throw new Error('the simulator ended before it was ready');
}

/** Processor time of a process and all its threads so far, ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold spaces; utime and stime are the 14th and 15th fields.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
}

/** Waits until a reading of its own is on disk; @returns ms since `startedAt` */
async function firstReading(folder: string, backlog: number, startedAt: number): Promise<number> {
  for (;;) {
    const report = await askStatus(folder).catch(() => null);
    if (report !== null && report.outbox.backlog > backlog) return performance.now() - startedAt;
    await sleep(20);
  }
}

async function measure(
  folder: string,
  { seconds, backlog, pid, startedAt }: Record<'seconds' | 'backlog' | 'pid' | 'startedAt', number>,
): Promise<Record<Figure, number>> {
  const data = join(folder, 'data');
  const first = await firstReading(data, backlog, startedAt);
  // What a start costs is another figure.
  await sleep(1_000);
  const from = { cpu: cpuMs(pid), at: performance.now() };
  let rss = rssMb(pid);
  while (performance.now() - from.at < seconds * 1_000) {
    await sleep(500);
    rss = Math.max(rss, rssMb(pid));
  }
  const spent = (cpuMs(pid) - from.cpu) / (performance.now() - from.at);
  const { links } = await askStatus(data);
  const failed = links.flatMap(({ slaves }) => slaves).reduce((sum, { errors }) => sum + errors, 0);
  return {
    cpu_percent: Math.round(spent * 10_000) / 100,
    rss_mb: Math.round(rss * 10) / 10,
    first_reading_ms: Math.round(first),
    failed_reads_count: failed,
  };
}

async function run({
  bins,
  seconds,
  backlog,
}: Readonly<Record<Option, number>>): Promise<Record<Figure, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-agent-'));
  const programs: ChildProcess[] = [];
  try {
    const links = await linksOf(bins);
    writeFileSync(join(folder, 'scenario.yaml'), stringify(scenario(links)));
    writeFileSync(join(folder, 'agent.yaml'), stringify(configuration(links, await freePort())));
    fill(join(folder, 'data'), backlog, links);
    const args = [SIMULATOR, '--scenario', join(folder, 'scenario.yaml')];
    const simulator = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    programs.push(simulator);
    await ready(simulator);
    const startedAt = performance.now();
    const agent = spawn(process.execPath, [AGENT, '--config', join(folder, 'agent.yaml')], {
      stdio: 'ignore',
    });
    programs.push(agent);
    const { pid } = agent;
    if (pid === undefined) throw new Error('the agent could not be started');
    return await measure(folder, { seconds, backlog, pid, startedAt });
  } finally {
    for (const program of programs) {
      const exited = once(program, 'exit');
      if (program.exitCode === null && program.kill('SIGKILL')) await exited;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench: Benchmark<Option, Figure> = {
  name: 'agent',
  describe: 'the whole agent against the simulator in a process of its own, with the cloud away',
  options: {
    bins: { default: 200, small: 8, describe: 'scales read at 1 Hz, 20 on a link of Modbus TCP' },
    seconds: { default: 600, small: 2, describe: 'how long the agent is measured' },
    backlog: { default: 1_000_000, small: 2_000, describe: 'readings that wait in the outbox' },
  },
  figures: {
    cpu_percent: 'processor time of the agent, of one core, after the start; at most 5',
    rss_mb: "the agent's largest resident memory, MiB; at most 120",
    first_reading_ms: 'from the start of the process to its first reading on disk; at most 3000',
    failed_reads_count: 'reads that got no answer',
  },
  run,
};
