import type { LinkStatus, SlaveStatus, StatusReport } from './report.ts';

const UNKNOWN = '-';

/** The report for people, one thing a line. */
export function statusText(report: StatusReport): string {
  const { agent, version, pid, uptimeS, config, outbox, clock, broker, links, stalled } = report;
  const applied = config.version === null ? '' : ` version ${config.version}`;
  const receipt =
    broker.lastReceipt === null
      ? 'none yet'
      : `batch ${broker.lastReceipt.upTo}, ${ago(report.at, broker.lastReceipt.at)}`;
  const since = broker.since === null ? '' : ` since ${duration(report.at - broker.since)}`;
  return [
    `agent    ${agent} ${version}, process ${pid}, running for ${duration(uptimeS * 1_000)}`,
    `config   ${config.file ?? 'the file'}${applied}`,
    `broker   ${broker.url}: ${broker.isConnected ? 'connected' : 'not connected'}${since}${because(broker.fault)}`,
    `receipt  ${receipt}${broker.inFlight === null ? '' : `; ${broker.inFlight} batches in flight`}`,
    `outbox   ${outbox.backlog} readings wait (${outbox.pending} not yet on disk), ${size(outbox)}`,
    `outage   ${outbox.enduranceH === null ? 'endurance not known yet' : `${hours(outbox.enduranceH)} more fit at this rate`}`,
    `clock    ${clock.state}${clock.source === null ? '' : ` (${clock.source})`}`,
    ...(stalled.length === 0 ? [] : [`STALLED  ${stalled.join(', ')}`]),
    ...links.flatMap(linkLines),
  ].join('\n');
}

function linkLines({
  name,
  protocol,
  address,
  isUp,
  fault,
  busyShare,
  slaves,
}: LinkStatus): string[] {
  const busy = busyShare === null ? '' : `, line ${Math.round(busyShare * 100)} % busy`;
  const width = Math.max(...slaves.map(({ bin }) => bin.length));
  return [
    `link     ${name}: ${protocol} at ${address}, ${isUp ? 'up' : 'down'}${because(fault)}${busy}`,
    ...slaves.map((slave) => `  ${slaveLine(slave, width)}`),
  ];
}

function slaveLine(slave: SlaveStatus, width: number): string {
  const { bin, unit, isOk, latencyMs, errors, reads, quality, fault } = slave;
  const state = isOk === null ? 'not read yet' : isOk ? 'ok' : (quality ?? 'fault');
  return [
    bin.padEnd(width),
    `unit ${unit === null ? UNKNOWN : unit}`.padEnd(8),
    `${latencyMs === null ? UNKNOWN : latencyMs.toFixed(1)} ms`.padStart(10),
    `${errors} of ${reads} reads failed`.padStart(24),
    ` ${state}${because(fault)}`,
  ].join(' ');
}

const because = (fault: string | null): string => (fault === null ? '' : ` (${fault})`);

function size({ bytes, quotaBytes }: StatusReport['outbox']): string {
  if (bytes === null) return 'size not known';
  return `${mib(bytes)}${quotaBytes === null ? '' : ` of ${mib(quotaBytes)}`} on disk`;
}

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
