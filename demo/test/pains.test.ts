import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Reading } from '#shared/reading.ts';
import { WAIT } from '#shared/testing/patience.ts';
import type { SlaveStatus } from '../../edge-agent/src/status/report.ts';
import {
  FAULT_KIND_NAMES,
  isLineFault,
  isPossible,
  type FaultKind,
} from '../../firmware-sim/src/core/faults.ts';
import { faultRule, framingOf } from '../../firmware-sim/src/faults/section.ts';
import {
  isTrue,
  namedFaults,
  slavesIn,
  startFaultySite,
  untrue,
  type FaultySite,
} from '../src/testing/faulty-site.ts';
import { isPolled, isStream, WIRINGS, type Wiring } from '../src/testing/wirings.ts';

/** Long enough for half of the answers of every link to be struck several times. */
const HALF_MS = 1_500;
/** A scale is asked for this many times at most, in vain, before its weight is there again. */
const MOST_FAILED_POLLS = 12;

/** A slave is asked again after 30 s at the latest; the whole log is read each time. */
const LONG = { timeout: 120_000, interval: 100 };
const RUN_MS = 400_000;

/** Every wiring under every fault that can befall it: a link of its own for each, of one agent. */
const LINKS = WIRINGS.flatMap((wiring) =>
  FAULT_KIND_NAMES.filter((kind) => isPossible(kind, framingOf(wiring.served.protocol))).map(
    (kind) => ({ name: `${wiring.name}-${kind}`, wiring, kind }),
  ),
);

/** What the agent calls it, on whatever wiring. */
const NAMES: Readonly<Record<Exclude<FaultKind, 'stuck'>, RegExp>> = {
  'no-answer': /no answer within/,
  'late-answer': /no answer|stray bytes/,
  merged: /no answer|bytes/,
  truncated: /bytes|closed|contradicts/,
  'garbage-before': /bytes|header|checksum|function|unit|contradicts|too few/,
  'garbage-after': /bytes|header|contradicts|too few/,
  'slow-bytes': /bytes|closed|too few/,
  'flipped-bits': /checksum|bytes|unit|function|contradicts|too few|no answer/,
  'wrong-crc': /checksum/,
  'wrong-transaction': /no answer within/,
  'bad-length': /header|bytes/,
  'wrong-unit': /an answer of unit \d+/,
  'wrong-byte-count': /data bytes/,
  exception: /exception 4, failure of the device/,
  reset: /closed|cannot open/,
  'half-open': /no answer within/,
  refuse: /closed|cannot open/,
  'max-connections': /closed|cannot open/,
};

/**
 * What does no harm to a wiring: a stream that comes a frame later, noise that is no part of any frame,
 * or a value that hangs, which on the wire is a good one.
 */
function isHarmless(kind: FaultKind, wiring: Wiring): kind is 'stuck' {
  if (kind === 'stuck') return true;
  const { protocol } = wiring.asked;
  if (kind === 'late-answer' || kind === 'merged') return isStream(wiring) || isPolled(wiring);
  if (kind === 'garbage-after' && isPolled(wiring)) return true;
  return protocol === 'toledo' && kind.startsWith('garbage');
}

let site: FaultySite;
let readings: readonly Reading[] = [];
let struck: ReadonlySet<string> = new Set();
let named: ReadonlyMap<string, readonly string[]> = new Map();
let atTheEnd: ReadonlyMap<string, SlaveStatus> = new Map();
let whenCleared: ReadonlyMap<string, SlaveStatus> = new Map();

const isGood = ({ quality }: Reading): boolean => quality === 'good';

/** Waits until every bin has told its true weight anew. */
async function told(which: 'before' | 'after'): Promise<void> {
  const missing = new Set(site.truth.keys());
  let seen = site.peer.folded.length;
  await vi.waitFor(
    () => {
      const fresh = site.peer.folded.slice(seen).flatMap((batch) => batch.readings);
      seen = site.peer.folded.length;
      for (const reading of fresh) {
        if (isGood(reading) && isTrue(reading, site.truth, which)) missing.delete(reading.bin);
      }
      expect([...missing]).toEqual([]);
    },
    { ...WAIT, ...LONG },
  );
}

/** Waits until every fault has struck and has a name in the log. @param from where to begin */
async function allNamed(from: number): Promise<void> {
  await vi.waitFor(
    () => {
      struck = new Set([...struck, ...injected()]);
      named = namedFaults(site.log().slice(from));
      const unnamed = LINKS.filter(
        ({ name, kind, wiring }) => !isHarmless(kind, wiring) && !isNamed(name, kind),
      );
      expect(unnamed.map(({ name }) => name)).toEqual([]);
      expect(LINKS.filter(({ name }) => !struck.has(name))).toEqual([]);
    },
    { ...WAIT, ...LONG },
  );
}

function inject(link: string, rule: object): void {
  site.simulator.control.inject(link, null, faultRule.parse(rule));
}

const injected = (): string[] =>
  site.simulator.control.faults().flatMap(({ link, injected: times }) => (times > 0 ? [link] : []));

/** Another master that holds a gateway's only connection, which the agent loses once. */
async function occupy(link: string): Promise<() => void> {
  const port = site.simulator.links.find((open) => open.link === link)?.port ?? 0;
  const other = connect(port, '127.0.0.1');
  other.on('error', () => other.destroy());
  other.resume();
  await once(other, 'connect');
  inject(link, { kind: 'max-connections', connections: 1 });
  inject(link, { kind: 'reset', count: 1 });
  return () => other.destroy();
}

beforeAll(async () => {
  site = await startFaultySite(LINKS);
  const { control } = site.simulator;
  await told('before');
  const from = site.log().length;

  const onAnswers = LINKS.filter(({ kind }) => !isLineFault(kind));
  for (const { name, kind } of onAnswers) inject(name, { kind, probability: 0.5 });
  await delay(HALF_MS);
  struck = new Set(injected());
  control.clear(null);

  const others = LINKS.filter(({ kind }) => kind === 'max-connections');
  const leave = await Promise.all(others.map(({ name }) => occupy(name)));
  for (const { name, kind } of LINKS) if (kind !== 'max-connections') inject(name, { kind });
  site.put();
  await allNamed(from);
  whenCleared = slavesIn(await site.links());
  // A gateway keeps its one place: as soon as that is free, the agent has it.
  for (const { id, link } of control.faults()) {
    if (!link.endsWith('max-connections')) control.clear(id);
  }
  for (const end of leave) end();
  await told('after');
  ({ readings } = site.peer);
  atTheEnd = slavesIn(await site.links());
}, RUN_MS);

afterAll(() => site.close());

function isNamed(link: string, kind: Exclude<FaultKind, 'stuck'>): boolean {
  return (named.get(link) ?? []).some((fault) => NAMES[kind].test(fault));
}

describe.each(LINKS)('$name', ({ name, kind, wiring }) => {
  test('has struck, and no wrong weight was good', () => {
    expect(struck).toContain(name);
    const bins = new Set<string>(site.binsOf(name));
    const own = readings.filter(({ bin }) => bins.has(bin));
    expect(own.length).toBeGreaterThan(0);
    expect(untrue(own, site.truth)).toEqual([]);
    // No data is never 0.
    expect(own.filter(({ quality, value }) => quality !== 'good' && value === 0)).toEqual([]);
  });

  test('was named, and its scales were read again soon', () => {
    if (!isHarmless(kind, wiring)) expect(isNamed(name, kind)).toBe(true);
    for (const bin of site.binsOf(name)) {
      const failed = (atTheEnd.get(bin)?.errors ?? 0) - (whenCleared.get(bin)?.errors ?? 0);
      expect(failed, bin).toBeLessThanOrEqual(MOST_FAILED_POLLS);
    }
  });
});
