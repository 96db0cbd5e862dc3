import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import { createLog } from '#shared/log.ts';
import { WAIT } from '#shared/testing/patience.ts';
import { Bus } from './bus.ts';
import type { ScaleRead } from '../core/scale-read.ts';
import type { ScaleSession } from '../scale/port.ts';

interface Scale {
  readonly name: string;
  readonly pollMs: number;
}

const A = { name: 'a', pollMs: 10 };
const B = { name: 'b', pollMs: 10 };
const weight: ScaleRead = { ok: true, massMg: 1, stable: true };

const silent = (): Failure => new Failure('scale-silent', 'no answer', { retry: 'later' });
const down = (): Failure => new Failure('link-down', 'no line', { retry: 'later' });

/** A line in memory that counts what is done to it. */
class Line {
  opened = 0;
  closed = 0;
  drained = 0;
  asking = 0;
  mostAsking = 0;
  answer: (scale: Scale) => ScaleRead | Failure = () => weight;
  readonly deadlines: (number | undefined)[] = [];
  canOpen = true;

  async open(): Promise<ScaleSession<Scale>> {
    if (!this.canOpen) throw down();
    this.opened += 1;
    return {
      read: async (scale, { timeoutMs } = {}) => {
        this.deadlines.push(timeoutMs);
        this.asking += 1;
        this.mostAsking = Math.max(this.mostAsking, this.asking);
        await new Promise((resolve) => setImmediate(resolve));
        this.asking -= 1;
        const answer = this.answer(scale);
        if (answer instanceof Failure) throw answer;
        return answer;
      },
      drain: async () => {
        this.mostAsking = Math.max(this.mostAsking, this.asking + 1);
        this.drained += 1;
      },
      close: () => {
        this.closed += 1;
      },
    };
  }
}

function start(
  line: Line,
  scales: readonly Scale[],
): { reads: [string, ScaleRead][]; bus: Bus<Scale> } {
  const reads: [string, ScaleRead][] = [];
  const bus = new Bus<Scale>({
    name: 'hall-1',
    driver: line,
    timeoutMs: 1_000,
    scales,
    clock: systemClock,
    log: createLog('agent', 'silent'),
    onRead: (scale, read) => reads.push([scale.name, read]),
  });
  onTestFinished(() => bus.stop());
  bus.start();
  return { reads, bus };
}

const count = (reads: readonly [string, ScaleRead][], name: string, ok: boolean): number =>
  reads.filter(([who, read]) => who === name && read.ok === ok).length;

test('one request at a time, in turn', async () => {
  const line = new Line();
  const { reads } = start(line, [A, B]);
  await vi.waitFor(() => expect(reads.length).toBeGreaterThan(20), WAIT);
  expect(line.mostAsking).toBe(1);
  expect(Math.abs(count(reads, 'a', true) - count(reads, 'b', true))).toBeLessThanOrEqual(1);
});

test('one dead slave does not stop the others, and is asked less and less often', async () => {
  const line = new Line();
  line.answer = ({ name }) => (name === 'a' ? silent() : weight);
  const { reads } = start(line, [A, B]);
  await vi.waitFor(() => expect(count(reads, 'b', true)).toBeGreaterThan(40), WAIT);
  expect(count(reads, 'a', false)).toBeGreaterThanOrEqual(3);
  expect(count(reads, 'a', false)).toBeLessThan(15);
  expect(line.opened).toBe(1);
  expect(line.drained).toBe(count(reads, 'a', false));
  expect(line.mostAsking).toBe(1);
  line.answer = () => weight;
  await vi.waitFor(() => expect(count(reads, 'a', true)).toBeGreaterThan(0), WAIT);
});

test('slaves that fall silent one after the other are the line’s fault', async () => {
  const line = new Line();
  const scales = Array.from({ length: 12 }, (_, n) => ({ name: `s${n}`, pollMs: 10 }));
  const { reads } = start(line, scales);
  await vi.waitFor(() => expect(reads.length).toBeGreaterThan(40), WAIT);
  const before = reads.length;
  line.answer = silent;
  await vi.waitFor(() => expect(line.closed).toBe(1), WAIT);
  expect(reads.slice(before).filter(([, read]) => !read.ok)).toHaveLength(3);
});

test('a few dead slaves do not make a line be opened anew', async () => {
  const line = new Line();
  const scales = Array.from({ length: 8 }, (_, n) => ({ name: `s${n}`, pollMs: 10 }));
  line.answer = ({ name }) => (name < 's4' ? silent() : weight);
  const { reads } = start(line, scales);
  await vi.waitFor(() => expect(count(reads, 's7', true)).toBeGreaterThan(40), WAIT);
  expect(line.opened).toBe(1);
});

test('one that is busy is asked twice more before it has failed, and the line goes on', async () => {
  const line = new Line();
  const slow = { name: 'a', pollMs: 60_000 };
  line.answer = ({ name }) =>
    name === 'a' ? new Failure('slave-busy', 'busy', { retry: 'now' }) : weight;
  const { reads, bus } = start(line, [slow, B]);
  await vi.waitFor(() => expect(count(reads, 'a', false)).toBe(1), WAIT);
  await vi.waitFor(() => expect(count(reads, 'b', true)).toBeGreaterThan(3), WAIT);
  const [a] = bus.snapshot().slaves;
  expect(a).toMatchObject({ reads: 3, errors: { busy: 3, silent: 0 }, lastError: 'busy' });
});

test('deadlines follow what answers have taken, and the snapshot tells it', async () => {
  const line = new Line();
  const { reads, bus } = start(line, [A, B]);
  await vi.waitFor(() => expect(count(reads, 'b', true)).toBeGreaterThan(20), WAIT);
  expect(line.deadlines[0]).toBe(1_000);
  expect(line.deadlines.at(-1)).toBeLessThan(1_000);
  line.answer = ({ name }) => (name === 'a' ? silent() : weight);
  await vi.waitFor(() => expect(count(reads, 'a', false)).toBeGreaterThanOrEqual(3), WAIT);
  const snapshot = bus.snapshot();
  expect(snapshot).toMatchObject({ name: 'hall-1', isUp: true, fault: null, opened: 1 });
  expect(snapshot.busyShare).toBeGreaterThanOrEqual(0);
  const [a, b] = snapshot.slaves;
  expect(a).toMatchObject({ breaker: 'open', lastError: 'no answer' });
  expect(a?.errors.silent).toBe(count(reads, 'a', false));
  expect(b).toMatchObject({ breaker: 'closed', lastError: null });
  expect(b?.latency?.p99Ms).toBeGreaterThanOrEqual(b?.latency?.p50Ms ?? Infinity);
});

test('when nobody answers any more, the line is opened anew', async () => {
  const line = new Line();
  line.answer = silent;
  const { reads } = start(line, [A, B]);
  await vi.waitFor(() => expect(line.opened).toBe(2), WAIT);
  expect(reads.length).toBeGreaterThanOrEqual(3);
  line.answer = () => weight;
  await vi.waitFor(() => expect(count(reads, 'b', true)).toBeGreaterThan(0), WAIT);
});

test('a probe of one slave of a silent line is not put off for the sake of the others', async () => {
  const line = new Line();
  line.answer = silent;
  // Each probe takes a minute, most of whose fivefold the others would be spared.
  let probes = 0;
  const monotonicMs = (): number => systemClock.monotonicMs() + 60_000 * probes;
  const bus = new Bus<Scale>({
    name: 'hall-1',
    driver: {
      open: async () => {
        const session = await line.open();
        const drain = async (): Promise<void> => {
          await session.drain();
          probes += 1;
        };
        return { ...session, drain };
      },
    },
    scales: [A, B],
    clock: { ...systemClock, monotonicMs },
    log: createLog('agent', 'silent'),
    onRead: () => {},
  });
  onTestFinished(() => bus.stop());
  bus.start();
  await vi.waitFor(() => expect(probes).toBeGreaterThanOrEqual(2), WAIT);
  const [, second] = bus.snapshot().slaves;
  expect(second?.nextInMs).toBeLessThan(60_000);
});

test('without a line every scale says so, never a weight', async () => {
  const line = new Line();
  line.canOpen = false;
  const { reads } = start(line, [A, B]);
  await vi.waitFor(() => expect(reads.length).toBeGreaterThanOrEqual(4), WAIT);
  expect(reads.every(([, read]) => !read.ok && read.quality === 'comm-error')).toBe(true);
  line.canOpen = true;
  await vi.waitFor(() => expect(count(reads, 'a', true)).toBeGreaterThan(0), WAIT);
});

test('stopping closes the line, waits for nothing, and may be done twice', async () => {
  const line = new Line();
  const slow = { name: 'slow', pollMs: 3_600_000 };
  const { reads, bus } = start(line, [slow]);
  await vi.waitFor(() => expect(reads).toHaveLength(1), WAIT);
  await bus.stop();
  await bus.stop();
  expect(line.closed).toBeGreaterThanOrEqual(1);
});
