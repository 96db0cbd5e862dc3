import { expect, test } from 'vitest';
import { statusReport } from '../testing/status-report.ts';
import { statusText } from './text.ts';

test('the report for people', () => {
  expect(statusText(statusReport()).split('\n')).toEqual([
    'agent    acme-north 1.2.3, process 42, running for 1 d 2 h',
    'config   /etc/offtake/agent.yaml',
    'broker   mqtts://cloud.example:8883: connected since 10 min 0 s',
    'receipt  batch 99, 10 s ago; 2 batches in flight',
    'outbox   12000 readings wait (3 not yet on disk), 5.0 MiB of 1024.0 MiB',
    'outage   38 h more fit at this rate',
    'clock    synchronised, not proven',
    'link     hall-1: modbus-tcp at 10.0.0.7:502, up, line 13 % busy, pause of 100 ms after connecting (tried)',
    '  acme-north-a1 unit 1       12.3 ms (slowest 80.0)   2 of 4711 reads failed  ok, pause of 50 ms before each request (learned)',
    '  a2            unit -             - ms (slowest -)      3 of 3 reads failed  no weight (no answer within 500 ms), only probed',
  ]);
});

test('what is not known is not said to be 0, and what is stalled is said', () => {
  const { outbox, broker } = statusReport();
  const text = statusText(
    statusReport({
      outbox: { ...outbox, enduranceH: null },
      broker: {
        ...broker,
        isConnected: false,
        fault: 'refused',
        lastReceipt: null,
      },
      stalled: ['poll hall-1'],
      alarms: ['readings wait in memory: no disk'],
    }),
  );
  expect(text).toContain('not connected since 10 min 0 s (refused)');
  expect(text).toContain('receipt  none yet;');
  expect(text).toContain('endurance not known yet');
  expect(text).toContain('STALLED  poll hall-1');
  expect(text).toContain('ALARM    readings wait in memory: no disk');
});
