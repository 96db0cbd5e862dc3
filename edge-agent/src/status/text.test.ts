import { expect, test } from 'vitest';
import type { ReportedConfig } from '#shared/wire/config.ts';
import { statusReport } from '../testing/status-report.ts';
import type { SlaveStatus } from './report.ts';
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
    '  acme-north-a1 unit 1       12.3 ms (slowest 80.0)   2 of 4711 reads failed  ok: 12.6 kg, reported 5 min 0 s ago, pause of 50 ms before each request (learned)',
    '  a2            unit -             - ms (slowest -)      3 of 3 reads failed  no weight (no answer within 500 ms), only probed',
  ]);
});

const ADDRESS = { key: 'links.0.address', expected: 'host:port' };

test.each([
  ['on trial', { state: 'trial', inForce: 7 }, ', over it version 7 on trial'],
  ['applied', { state: 'applied', inForce: 7 }, ', over it version 7'],
  [
    'refused',
    { state: 'refused', inForce: 5, reason: '1 fault', problems: [ADDRESS] },
    ', over it version 5; version 7 refused (1 fault; links.0.address: expected host:port)',
  ],
  [
    'rolled back',
    { state: 'rolled-back', inForce: 0, reason: 'why' },
    '; version 7 rolled-back (why)',
  ],
] satisfies [string, Omit<ReportedConfig, 'version' | 'at'>, string][])(
  'a configuration from afar that is %s is said',
  (_, change, said) => {
    const remote: ReportedConfig = { version: 7, at: 1, ...change };
    const version = remote.inForce === 0 ? null : String(remote.inForce);
    const config = { version, file: 'agent.yaml', remote };
    expect(statusText(statusReport({ config }))).toContain(`config   agent.yaml${said}\n`);
  },
);

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

test('a reading is told as a display would, with what is doubtful about it', () => {
  const report = statusReport();
  const [link] = report.links;
  const [slave] = link?.slaves ?? [];
  if (link === undefined || slave === undefined) throw new Error('the report has a slave');
  const told = (reading: Partial<NonNullable<SlaveStatus['reading']>>): string => {
    const newest = { at: report.at, value: 0, unit: 'mg', quality: 'good', ...reading } as const;
    return statusText({ ...report, links: [{ ...link, slaves: [{ ...slave, reading: newest }] }] });
  };
  expect(told({ value: 999_500 })).toContain('ok: 999.5 g, reported 0 s ago');
  expect(told({ value: -1_000_000 })).toContain('ok: -1 kg, reported');
  expect(told({ value: 3, unit: 'count' })).toContain('ok: 3 pieces, reported');
  expect(told({ value: 1_000, unit: 'permille' })).toContain('ok: 1000 ‰ full, reported');
  expect(told({ value: 5_000, quality: 'unstable' })).toContain('ok: 5 g unstable, reported');
  expect(told({ value: null, quality: 'stale' })).toMatch(/  ok, pause/);
});
