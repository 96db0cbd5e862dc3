import { expect, test } from 'vitest';
import { Watchdog } from './watchdog.ts';

interface Bench {
  readonly dog: Watchdog;
  readonly signs: () => number;
  readonly pass: (ms: number) => void;
}

function bench(): Bench {
  let now = 0;
  let signs = 0;
  const clock = { wallMs: () => now, monotonicMs: () => now };
  const dog = new Watchdog({ clock, alive: () => (signs += 1), signMs: 10 });
  return { dog, signs: () => signs, pass: (ms) => (now += ms) };
}

test('signs follow what moves, no more often than they may', () => {
  const { dog, signs, pass } = bench();
  dog.watch('commit', { patienceMs: 100 });
  expect(signs()).toBe(0);
  for (let n = 0; n < 40; n += 1) {
    pass(1);
    dog.moved('commit');
  }
  expect(signs()).toBe(4);
});

test('one part that stands still ends the signs, however much the others move', () => {
  const { dog, signs, pass } = bench();
  dog.watch('poll hall-1', { patienceMs: 50 });
  dog.watch('commit', { patienceMs: 50 });
  const run = (): void => {
    for (let n = 0; n < 100; n += 1) {
      pass(1);
      dog.moved('commit');
    }
  };
  run();
  const before = signs();
  run();
  expect(signs()).toBe(before);
  expect(dog.stalled()).toEqual(['poll hall-1']);
  dog.moved('poll hall-1');
  expect(signs()).toBe(before + 1);
  expect(dog.stalled()).toEqual([]);
});

test('what has nothing to do stands still for as long as it likes', () => {
  const { dog, signs, pass } = bench();
  let isIdle = true;
  dog.watch('publish', { patienceMs: 50, isIdle: () => isIdle });
  dog.watch('commit', { patienceMs: 50 });
  pass(1_000);
  dog.moved('commit');
  expect(signs()).toBe(1);
  isIdle = false;
  pass(20);
  dog.moved('commit');
  expect(signs()).toBe(1);
  expect(dog.stalled()).toEqual(['publish']);
});

test('a link that is no longer there is not waited for', () => {
  const { dog, pass } = bench();
  dog.watch('poll hall-1', { patienceMs: 50 });
  pass(51);
  dog.forget('poll hall-1');
  expect(dog.stalled()).toEqual([]);
});

test('time alone gives no sign', () => {
  const { dog, signs, pass } = bench();
  dog.watch('commit', { patienceMs: 1_000_000 });
  pass(1_000);
  expect(dog.stalled()).toEqual([]);
  expect(signs()).toBe(0);
});
