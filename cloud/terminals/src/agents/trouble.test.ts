import { expect, test } from 'vitest';
import type { AgentView } from '../../../src/http/contract.ts';
import { troubleFirst } from './trouble.ts';

const agent = (id: string, changes: Partial<AgentView> = {}): AgentView => ({
  id,
  siteId: 'north',
  disabledAt: null,
  online: true,
  seenAt: 1,
  version: '1',
  backlog: 0,
  receivedBatches: 1,
  lastBatchAt: 1,
  devices: [{ bin: 'a', link: 'hall', ok: true }],
  configuration: { state: 'local', desired: 0, inForce: 0, reportedAt: null },
  alarms: [],
  ...changes,
});

test('agents in trouble come first, then those with most to send', () => {
  const agents = [
    agent('b'),
    agent('a'),
    agent('busy', { backlog: 9 }),
    agent('faulty', { devices: [{ bin: 'a', link: 'hall', ok: false, fault: 'no answer' }] }),
    agent('full', { alarms: ['readings wait in memory'] }),
    agent('gone', { online: false }),
    agent('refusing', {
      backlog: 1,
      configuration: { state: 'refused', desired: 2, inForce: 1, reportedAt: 3 },
    }),
  ];
  const order = troubleFirst(agents).map(({ id }) => id);
  expect(order).toEqual(['gone', 'refusing', 'faulty', 'full', 'busy', 'a', 'b']);
});
