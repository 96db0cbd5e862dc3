import { expect, test } from 'vitest';
import { MINUTE_MS } from '#shared/units.ts';
import { deadlineMs, nextPoll, polled, startTurn, type Turn } from './turns.ts';

/** A line of 19,200 Bd: an exchange of five registers, the longest answer of late, a drain. */
const SLAVES = 32;
const EXCHANGE_MS = 17.5;
const SLOWEST_MS = 20;
const DRAIN_MS = 27;
const TIMEOUT_MS = 1_000;

/** A line in virtual time. */
class Line {
  now = 0;
  #turns = Array.from({ length: SLAVES }, (_, n): Turn<number> => startTurn(n, 50));

  /** Asks whoever is due. @returns who that was */
  ask(isDead: (slave: number) => boolean): number {
    const { turn, waitMs } = nextPoll(this.#turns, this.now);
    const startedAt = this.now + waitMs;
    const answered = !isDead(turn.scale);
    const limits = { timeoutMs: TIMEOUT_MS, slowestMs: SLOWEST_MS };
    this.now = startedAt + (answered ? EXCHANGE_MS : deadlineMs(turn, limits) + DRAIN_MS);
    const others = this.#turns.filter(
      ({ scale, failures }) => scale !== turn.scale && failures > 0,
    );
    const read = { answered, costMs: this.now - startedAt, silent: 1 + others.length };
    const after = polled(turn, read, this.now);
    this.#turns = this.#turns.map((other) => (other.scale === turn.scale ? after : other));
    return turn.scale;
  }
}

const nobody = (): boolean => false;

/** What the living lose in the minute after so many have died, and how long the dead are not found. */
function afterDeath(dead: number): { readonly lost: number; readonly foundMs: number } {
  const line = new Line();
  while (line.now < MINUTE_MS) line.ask(nobody);
  let living = 0;
  while (line.now < 2 * MINUTE_MS) living += line.ask((slave) => slave < dead) < dead ? 0 : 1;
  const backAt = line.now;
  const missing = new Set(Array.from({ length: dead }, (_, n) => n));
  while (missing.size > 0) missing.delete(line.ask(nobody));
  // Without the dead ones the line is as busy as before.
  return { lost: 1 - living / (MINUTE_MS / EXCHANGE_MS), foundMs: line.now - backAt };
}

test.each([1, 2, 5])(
  'of 32 slaves on a full line %i may die: the others lose little, and they are found again',
  (dead) => {
    const { lost, foundMs } = afterDeath(dead);
    expect(lost).toBeLessThan(0.1);
    expect(foundMs).toBeLessThan(31_000);
  },
);
