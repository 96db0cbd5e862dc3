import { existsSync, readFileSync } from 'node:fs';
import { hrtime } from 'node:process';
import type { Evidence, Instant } from '../core/device-clock.ts';
import { TIMESYNCD_FILE, type ClockConfig } from './section.ts';

/** What the machine knows of time: the real one, or a simulated one. */
export interface Machine {
  now(): Instant;
  evidence(): Evidence;
  readonly boot: string;
}

const TIMESYNCD_FOLDER = '/run/systemd/timesync';

/** NTP clients that leave no word of having set the clock. */
const SILENT_CLIENTS = ['/run/chrony', '/run/ntpd.pid', '/run/ntpsec', '/run/openntpd.pid'];
const RTC = '/sys/class/rtc/rtc0';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** @param runId stands for the boot where the system has no id of it: then a boot is one run */
export function realMachine(config: ClockConfig, runId: string): Machine {
  return {
    now: () => ({ wallMs: Date.now(), monotonicMs: Number(hrtime.bigint() / 1_000_000n) }),
    evidence: () => evidenceOf(config),
    boot: existsSync(BOOT_ID) ? readFileSync(BOOT_ID, 'utf8').trim() : runId,
  };
}

function evidenceOf(config: ClockConfig): Evidence {
  if (config.source === 'trusted') return 'synced';
  if (config.source === 'ntp-file') return existsSync(config.file) ? 'synced' : 'unsynced';
  if (existsSync(TIMESYNCD_FOLDER)) return existsSync(TIMESYNCD_FILE) ? 'synced' : 'unsynced';
  const isSilent = !existsSync(RTC) && SILENT_CLIENTS.some((path) => existsSync(path));
  return isSilent ? 'waiting' : 'assumed';
}
