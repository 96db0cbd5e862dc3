import { expect, test } from 'vitest';
import type { AgentView } from '../../../src/http/contract.ts';
import { troubleFirst } from './trouble.ts';

const agent = (id: string, changes: Partial<AgentView> = {}): AgentView => ({
  id,
  siteId: 'north',
  online: true,
  seenAt: 1,
  version: '1',
  backlog: 0,
  receivedBatches: 1,
  lastBatchAt: 1,
  devices: [{ bin: 'a', link: 'hall', ok: true }],
  configuration: { state: 'local', desired: 0, inForce: 0 },
  ...changes,
});

test('agents in trouble come first, then those with most to send', () => {
  const agents = [
    agent('b'),
    agent('a'),
    agent('busy', { backlog: 9 }),
    agent('faulty', { devices: [{ bin: 'a', link: 'hall', ok: false, fault: 'no answer' }] }),
    agent('gone', { online: false }),
  ];
  expect(troubleFirst(agents).map(({ id }) => id)).toEqual(['gone', 'faulty', 'busy', 'a', 'b']);
});
