import type { ReportedConfig } from '#shared/wire/config.ts';
import type { Reading } from '#shared/reading.ts';
import type { KeptPause } from '../bus/pause.ts';

/**
 * What `agent status` tells of a running agent: plain data, so that it goes over a socket and into
 * `--json` as it is. Keys are only added, since people's scripts read them. What is not known is
 * `null`, never 0. Instants are ms since 1970 UTC.
 */
export interface StatusReport {
  readonly agent: string;
  readonly version: string;
  readonly pid: number;
  readonly at: number;
  readonly uptimeS: number;
  readonly config: ConfigStatus;
  readonly links: readonly LinkStatus[];
  readonly outbox: OutboxStatus;
  readonly clock: ClockStatus;
  readonly broker: BrokerStatus;
  /** What has not moved although it should have; see the watchdog. */
  readonly stalled: readonly string[];
  /** What is wrong with the agent itself, for people; the cloud is told the same. */
  readonly alarms: readonly string[];
}

export interface ConfigStatus {
  /** Version of the remote configuration that is in force; `null` where the file's is. */
  readonly version: string | null;
  readonly file: string | null;
  /** What became of the newest version from the cloud; `null` before the first. */
  readonly remote: ReportedConfig | null;
}

export interface LinkStatus {
  readonly name: string;
  readonly protocol: string;
  readonly address: string;
  readonly isUp: boolean;
  /** Why it is down. */
  readonly fault: string | null;
  /** Share of the line's time that requests take, 0 to 1. */
  readonly busyShare: number | null;
  /** Silence kept between opening the line and the first request; `null` where none is. */
  readonly pauseAfterConnect: KeptPause | null;
  readonly slaves: readonly SlaveStatus[];
}

/** One bin, and the slave that is read for it. */
export interface SlaveStatus {
  readonly bin: string;
  /** Modbus unit id; `null` on a line without addresses. */
  readonly unit: number | null;
  /** `null` before the first read. */
  readonly isOk: boolean | null;
  readonly fault: string | null;
  /** The newest one, reported by exception: it holds until there is another. */
  readonly reading: Pick<Reading, 'at' | 'value' | 'unit' | 'quality'> | null;
  /** It has been silent for long, and is asked seldom. */
  readonly isOnlyProbed: boolean;
  /** Median and slowest of the latest answers, ms. */
  readonly latencyMs: number | null;
  readonly slowestMs: number | null;
  /** Silence kept on the line before each request to it; `null` where none is. */
  readonly pause: KeptPause | null;
  /** Reads since the agent started, and those of them that failed, by what went wrong. */
  readonly reads: number;
  readonly errors: number;
  readonly errorKinds: Readonly<Record<string, number>>;
}

export interface OutboxStatus {
  readonly epoch: string;
  /** Readings that the cloud has not receipted. */
  readonly backlog: number;
  /** Readings not yet on disk. */
  readonly pending: number;
  /** Bytes on disk, and how many there may be. */
  readonly bytes: number;
  readonly quotaBytes: number;
  /** For how long an outage still fits, at the rate of late. */
  readonly enduranceH: number | null;
}

export interface ClockStatus {
  readonly state: 'synchronised' | 'unsynchronised';
  /** Whether the machine says so, rather than that nothing speaks against it. */
  readonly isProven: boolean;
  /** How far the agent's time is ahead of a clock that went back. */
  readonly aheadMs: number;
}

export interface BrokerStatus {
  readonly url: string;
  readonly isConnected: boolean;
  /** Since when it is connected, or not. */
  readonly since: number;
  readonly fault: string | null;
  /** Batches sent and not receipted. */
  readonly inFlight: number;
  readonly lastReceipt: { readonly at: number; readonly upTo: number } | null;
}
