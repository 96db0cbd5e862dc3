import type { StatusReport } from '../status/report.ts';

/** A report with something in every part of it. */
export function statusReport(changes: Partial<StatusReport> = {}): StatusReport {
  return {
    agent: 'acme-north',
    version: '1.2.3',
    pid: 42,
    at: 1_760_000_600_000,
    uptimeS: 93_784,
    config: { version: null, file: '/etc/offtake/agent.yaml', remote: null },
    links: [
      {
        name: 'hall-1',
        protocol: 'modbus-tcp',
        address: '10.0.0.7:502',
        isUp: true,
        fault: null,
        busyShare: 0.127,
        pauseAfterConnect: { ms: 100, source: 'tried' },
        slaves: [
          {
            bin: 'acme-north-a1',
            unit: 1,
            isOk: true,
            fault: null,
            reading: { at: 1_760_000_300_000, value: 12_600_000, unit: 'mg', quality: 'good' },
            isOnlyProbed: false,
            latencyMs: 12.34,
            slowestMs: 80,
            pause: { ms: 50, source: 'learned' },
            reads: 4_711,
            errors: 2,
            errorKinds: { silent: 2 },
          },
          {
            bin: 'a2',
            unit: null,
            isOk: false,
            fault: 'no answer within 500 ms',
            reading: null,
            isOnlyProbed: true,
            latencyMs: null,
            slowestMs: null,
            pause: null,
            reads: 3,
            errors: 3,
            errorKinds: { silent: 3 },
          },
        ],
      },
    ],
    outbox: {
      epoch: 'e',
      backlog: 12_000,
      pending: 3,
      bytes: 5_242_880,
      quotaBytes: 1_073_741_824,
      enduranceH: 38.9,
    },
    clock: { state: 'synchronised', isProven: false, aheadMs: 0 },
    broker: {
      url: 'mqtts://cloud.example:8883',
      isConnected: true,
      since: 1_760_000_000_000,
      fault: null,
      inFlight: 2,
      lastReceipt: { at: 1_760_000_590_000, upTo: 99 },
    },
    stalled: [],
    alarms: [],
    ...changes,
  };
}
