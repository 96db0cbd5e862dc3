import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { WAIT } from '#shared/testing/patience.ts';
import { requireProgram } from '#shared/testing/programs.ts';
import type { FaultKind } from '../../firmware-sim/src/core/faults.ts';
import { faultRule } from '../../firmware-sim/src/faults/section.ts';
import { isTrue, startFaultySite, untrue, type FaultySite } from '../src/testing/faulty-site.ts';
import { WIRINGS } from '../src/testing/wirings.ts';

const hasSocat = requireProgram('socat');

/** Lines over TCP, and on pseudo-terminals, which a reset unplugs. */
const LINKS = [
  ...['tcp', 'rtu', 'cas'].map((name) => ({ name, isSerial: false })),
  ...(hasSocat ? ['rtu', 'sics', 'toledo', 'a-and-d-polled'] : []).map((name) => ({
    name,
    isSerial: true,
  })),
].map(({ name, isSerial }) => {
  const wiring = WIRINGS.find((each) => each.name === name);
  if (wiring === undefined) throw new Error(`no wiring ${name}`);
  return { name: isSerial ? `serial-${name}` : name, wiring, isSerial };
});

/** Those that break lines in one way or another, the first of them again at the end. */
const KINDS: readonly FaultKind[] = [
  'reset',
  'garbage-after',
  'no-answer',
  'refuse',
  'garbage-before',
  'reset',
];

/** Faults that befall two answers each; those of the line last a second. */
const STRIKES = 2;
const LINE_S = 1;
/** A pause before a line is opened anew takes up to 4 s; without a cap it would grow to 30 s. */
const MORE_MS = 20_000;
const RUN_MS = 400_000;

let site: FaultySite;
beforeAll(async () => {
  site = await startFaultySite(LINKS);
});
const held: (() => void)[] = [];
afterAll(async () => {
  for (const close of held) close();
  await site.close();
});

/** Waits until all bins of a link have told the truth anew. @returns how long that took, ms */
async function told(link: string): Promise<number> {
  const startedAt = performance.now();
  const missing = new Set(site.binsOf(link));
  let seen = site.peer.folded.length;
  await vi.waitFor(
    () => {
      const fresh = site.peer.folded.slice(seen).flatMap(({ readings }) => readings);
      seen = site.peer.folded.length;
      for (const reading of fresh) {
        const isGood = reading.quality === 'good' && isTrue(reading, site.truth, 'before');
        if (isGood) missing.delete(reading.bin);
      }
      expect([...missing]).toEqual([]);
    },
    { ...WAIT, interval: 50 },
  );
  return performance.now() - startedAt;
}

/** @returns how long the link takes to recover, ms */
async function befall(link: string, kind: FaultKind): Promise<number> {
  const { control } = site.simulator;
  const isLasting = kind === 'refuse';
  const count = kind === 'reset' ? 1 : STRIKES;
  const rule = isLasting ? { kind, durationS: LINE_S } : { kind, count };
  const injected = control.inject(link, null, faultRule.parse(rule));
  if (!injected.ok) throw new Error(injected.reason);
  const { id } = injected.value;
  await vi.waitFor(
    () => {
      const state = control.faults().find((fault) => fault.id === id);
      expect(state?.active).toBe(false);
    },
    { ...WAIT, interval: 20 },
  );
  control.clear(id);
  return told(link);
}

/**
 * As long as somebody has it open, its number is not given out again.
 * @returns what the path, a link as those of /dev/serial/by-id, stands for now
 */
function holdDevice(path: string): string {
  const device = readlinkSync(path);
  const handle = openSync(device, constants.O_RDWR | constants.O_NOCTTY);
  held.push(() => closeSync(handle));
  return device;
}

test.concurrent.for(LINKS)(
  '$name: faults one after the other, no wrong weight, the last is recovered from as the first',
  { timeout: RUN_MS },
  async ({ name, isSerial }) => {
    await told(name);
    const path = site.simulator.links.find(({ link }) => link === name)?.path ?? null;
    const device = isSerial && path !== null ? holdDevice(path) : null;
    const took: number[] = [];
    for (const kind of KINDS) took.push(await befall(name, kind));
    const [firstMs = 0] = took;
    expect(took.at(-1), took.map(Math.round).join(' ms, ')).toBeLessThan(firstMs + MORE_MS);
    const own = new Set<string>(site.binsOf(name));
    const readings = site.peer.readings.filter(({ bin }) => own.has(bin));
    expect(untrue(readings, site.truth)).toEqual([]);
    // Unplugged and plugged in again, the adapter had another number at the same path.
    if (path !== null && device !== null) expect(readlinkSync(path)).not.toBe(device);
  },
);
