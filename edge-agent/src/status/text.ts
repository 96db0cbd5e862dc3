import type { ReadingUnit } from '#shared/units.ts';
import type { KeptPause } from '../bus/pause.ts';
import type { LinkStatus, SlaveStatus, StatusReport } from './report.ts';

const UNKNOWN = '-';

/** The report for people, one thing a line. */
export function statusText(report: StatusReport): string {
  const { agent, version, pid, uptimeS, config, outbox, clock, broker, links, stalled, alarms } =
    report;
  const receipt =
    broker.lastReceipt === null
      ? 'none yet'
      : `batch ${broker.lastReceipt.upTo}, ${ago(report.at, broker.lastReceipt.at)}`;
  return [
    `agent    ${agent} ${version}, process ${pid}, running for ${duration(uptimeS * 1_000)}`,
    `config   ${configText(config)}`,
    `broker   ${broker.url}: ${broker.isConnected ? 'connected' : 'not connected'} since ${duration(report.at - broker.since)}${because(broker.fault)}`,
    `receipt  ${receipt}; ${broker.inFlight} batches in flight`,
    `outbox   ${outbox.backlog} readings wait (${outbox.pending} not yet on disk), ${mib(outbox.bytes)} of ${mib(outbox.quotaBytes)}`,
    `outage   ${outbox.enduranceH === null ? 'endurance not known yet' : `${hours(outbox.enduranceH)} more fit at this rate`}`,
    `clock    ${clock.state}${clock.isProven ? '' : ', not proven'}${clock.aheadMs > 0 ? `, ${clock.aheadMs} ms ahead of the machine` : ''}`,
    ...(stalled.length === 0 ? [] : [`STALLED  ${stalled.join(', ')}`]),
    ...alarms.map((alarm) => `ALARM    ${alarm}`),
    ...links.flatMap((link) => linkLines(link, report.at)),
  ].join('\n');
}

function configText({ file, version, remote }: StatusReport['config']): string {
  const inForce = `${file ?? 'the file'}${version === null ? '' : `, over it version ${version}`}`;
  if (remote === null || remote.state === 'applied') return inForce;
  const { state, reason = null, problems = [] } = remote;
  const newest = state === 'trial' ? ' on trial' : `; version ${remote.version} ${state}`;
  const faults = problems.map(({ key, expected }) => `${key}: expected ${expected}`);
  return `${inForce}${newest}${because([reason, ...faults].filter((part) => part !== null).join('; ') || null)}`;
}

function linkLines(link: LinkStatus, at: number): string[] {
  const { name, protocol, address, isUp, fault, busyShare, pauseAfterConnect, slaves } = link;
  const busy = busyShare === null ? '' : `, line ${Math.round(busyShare * 100)} % busy`;
  const width = Math.max(...slaves.map(({ bin }) => bin.length));
  return [
    `link     ${name}: ${protocol} at ${address}, ${isUp ? 'up' : 'down'}${because(fault)}${busy}${waiting(pauseAfterConnect, 'after connecting')}`,
    ...slaves.map((slave) => `  ${slaveLine(slave, { width, at })}`),
  ];
}

function slaveLine(
  slave: SlaveStatus,
  { width, at }: { readonly width: number; readonly at: number },
): string {
  const { bin, unit, latencyMs, slowestMs, errors, reads, fault, isOnlyProbed, pause } = slave;
  return [
    bin.padEnd(width),
    `unit ${unit ?? UNKNOWN}`.padEnd(8),
    `${shown(latencyMs)} ms (slowest ${shown(slowestMs)})`.padStart(26),
    `${errors} of ${reads} reads failed`.padStart(24),
    ` ${stateText(slave, at)}${because(fault)}${isOnlyProbed ? ', only probed' : ''}${waiting(pause, 'before each request')}`,
  ].join(' ');
}

function stateText({ isOk, reading }: SlaveStatus, at: number): string {
  if (isOk === null) return 'not read yet';
  if (!isOk) return 'no weight';
  if (reading === null || reading.value === null) return 'ok';
  const { value, unit, quality } = reading;
  const doubt = quality === 'good' ? '' : ` ${quality}`;
  return `ok: ${amount(value, unit)}${doubt}, reported ${ago(at, reading.at)}`;
}

/** As on a display: masses in kg, or g below one. */
function amount(value: number, unit: ReadingUnit): string {
  if (unit === 'count') return `${value} pieces`;
  if (unit === 'permille') return `${value} ‰ full`;
  return Math.abs(value) < 1_000_000 ? `${value / 1_000} g` : `${value / 1_000_000} kg`;
}

const shown = (ms: number | null): string => (ms === null ? UNKNOWN : ms.toFixed(1));

const waiting = (pause: KeptPause | null, when: string): string =>
  pause === null ? '' : `, pause of ${pause.ms} ms ${when} (${pause.source})`;

const because = (fault: string | null): string => (fault === null ? '' : ` (${fault})`);

const mib = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

const hours = (count: number): string =>
  count >= 48 ? `${Math.floor(count / 24)} days` : `${Math.floor(count)} h`;

const ago = (now: number, at: number): string => `${duration(now - at)} ago`;

/** The two largest units. */
function duration(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1_000));
  if (s < 60) return `${s} s`;
  if (s < 3_600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`;
}
