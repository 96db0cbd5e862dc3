import { afterAll, beforeAll, expect, test } from 'vitest';
import { reportOf } from '../configuration/reports.ts';
import { addAgent, message, openStack, startWorker, type Stack } from './testing/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await openStack();
});
afterAll(() => stack.close());

test('what agents report of their configuration is kept, the newest of each, and told', async () => {
  const changed: string[] = [];
  const worker = startWorker(stack.db, stack.readings, (agents) => changed.push(...agents));
  const [north, south] = [await addAgent(stack.db, 'north'), await addAgent(stack.db, 'south')];
  const report = (agent: typeof north, state: string, more: object = {}) => {
    const said = { version: 2, state, inForce: 1, at: 7, fromALaterRelease: true, ...more };
    return message(agent, 'config/reported', JSON.stringify(said));
  };
  const problems = [{ key: 'links.0.address', expected: 'host:port' }];
  await worker.process([
    report(north, 'trial'),
    report(south, 'refused', { reason: '1 fault', problems }),
    report(north, 'applied', { inForce: 2 }),
  ]);
  expect(await reportOf(stack.db.sql, north)).toMatchObject({ state: 'applied', inForce: 2 });
  expect(await reportOf(stack.db.sql, south)).toMatchObject({ reason: '1 fault', problems });
  expect(changed.toSorted()).toEqual(['north', 'south']);
  await worker.close();
});
