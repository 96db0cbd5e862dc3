import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '#shared/clock.ts';
import type { BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Quality } from '#shared/reading.ts';
import type { Status } from '#shared/wire/status.ts';
import { Bus } from './bus.ts';
import { linkSnapshot, type LinkSnapshot, type SlaveName } from './snapshot.ts';
import {
  binsOf,
  type AgentConfig,
  type BinConfig,
  type LinkConfig,
} from '../configuration/config.ts';
import type { Stamp } from '../core/device-clock.ts';
import type { BinRead, ScaleRead } from '../core/scale-read.ts';
import { settle, startSettling, type Settling } from '../core/settling.ts';
import type { Intake } from '../intake/intake.ts';
import { asciiDriver } from '../scale/ascii.ts';
import { isAscii } from '../scale/ascii-config.ts';
import { modbusDriver } from '../scale/modbus.ts';
import { slavesOf, type BinPoint } from '../scale/modbus-points.ts';
import type { WireTap } from '../wire/recorder.ts';

export type Device = NonNullable<Status['devices']>[number];

/** Who watches what goes on on the links. */
export interface LinkWatch {
  /** A link begins. @returns what hears its lines */
  watch(link: LinkConfig): WireTap;
  /** A link has ended. */
  forget(link: string): void;
  /** A scale was read, or could not be. */
  polled(link: string): void;
  /** Something went wrong on the wire. */
  fault(link: string, fault: string, why: string): void;
}

/** Until a bin has its first level, its scale is read as often as this: the first reading is soon. */
const EAGER_MS = 200;

/** What the wire tells more about; an overload, for one, is not its fault. */
const WIRE_FAULTS: ReadonlySet<Quality> = new Set(['comm-error', 'config-error', 'stale']);

/** What of a configuration counts for polling. */
type PolledConfig = Pick<AgentConfig, 'links' | 'report'>;

interface LinkBus {
  start(): void;
  stop(): Promise<void>;
  snapshot(): LinkSnapshot;
}

/** A link that is polled, and how it was told to be. */
interface PolledLink {
  readonly config: LinkConfig;
  readonly bus: LinkBus;
}

/** All links of the agent: from reads of scales to settled levels. */
export class Poller {
  #config: PolledConfig;
  #links: readonly PolledLink[] = [];
  readonly #devices = new Map<BinId, Device>();
  /** Monotonic time of the newest weight. */
  readonly #weighedAt = new Map<BinId, number>();
  readonly #settling = new Map<BinId, Settling>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #intake: Intake;
  readonly #stamp: () => Stamp;
  readonly #watch: LinkWatch | undefined;
  /** Bins that had a level since the start. */
  readonly #known = new Set<BinId>();

  constructor(options: {
    readonly config: PolledConfig;
    readonly clock: Clock;
    readonly log: Log;
    readonly intake: Intake;
    /** The device's time of now. */
    readonly stamp: () => Stamp;
    readonly watch?: LinkWatch;
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#intake = options.intake;
    this.#stamp = options.stamp;
    this.#watch = options.watch;
    this.#config = options.config;
  }

  start(): void {
    this.follow(this.#config);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map(({ bus }) => bus.stop()));
  }

  /**
   * Ends the links that this configuration does not have, or has otherwise. Until `follow` nobody
   * speaks on their lines. What was learned of their bins is forgotten.
   */
  async release({ links }: PolledConfig): Promise<void> {
    const isKept = ({ config }: PolledLink): boolean =>
      links.some((link) => isDeepStrictEqual(link, config));
    const ended = this.#links.filter((link) => !isKept(link));
    await Promise.all(ended.map(({ bus }) => bus.stop()));
    this.#links = this.#links.filter(isKept);
    for (const { config } of ended) {
      this.#watch?.forget(config.name);
      for (const { bin } of binsOf(config)) {
        for (const known of [this.#devices, this.#weighedAt, this.#settling, this.#known]) {
          known.delete(bin);
        }
      }
    }
  }

  /** Starts the links of this configuration that do not run, after a `release` of the others. */
  follow(config: PolledConfig): void {
    this.#config = config;
    const running = new Map(this.#links.map((link) => [link.config.name, link]));
    this.#links = config.links.map(
      (link) => running.get(link.name) ?? { config: link, bus: this.#busOf(link) },
    );
    for (const { bus } of this.#links) bus.start();
  }

  /** What the scales answered last; a scale that was not read yet is not among them. */
  devices(): Device[] {
    return [...this.#devices.values()];
  }

  /** Monotonic time of the bin's newest weight since its link was started; null for none. */
  weighedAt(bin: BinId): number | null {
    return this.#weighedAt.get(bin) ?? null;
  }

  /** How every line and every slave on it is doing: plain data. */
  snapshot(): LinkSnapshot[] {
    return this.#links.map(({ bus }) => bus.snapshot());
  }

  #busOf(config: LinkConfig): LinkBus {
    const { name, protocol, address, timeoutMs, pauseAfterConnectMs } = config;
    const link = { ...config, tap: this.#watch?.watch(config) };
    const isKnown = (bin: BinId): boolean => this.#known.has(bin);
    const options = { name, pauseAfterConnectMs, clock: this.#clock, log: this.#log };
    const bins = new Map(binsOf(link).map((bin) => [bin.bin, bin]));
    const take = (bin: BinId, read: BinRead): void => {
      const config = bins.get(bin);
      if (config !== undefined) this.#take(name, config, read);
    };
    if (isAscii(link)) {
      const onRead = ({ bin }: { readonly bin: BinId }, read: ScaleRead): void => take(bin, read);
      const bus = new Bus({
        ...options,
        // One scale a line: its requests wait for its answers, and it is asked seldom.
        pauseMs: 0,
        driver: asciiDriver(link),
        scales: link.scales,
        onRead,
        paceMs: ({ bin, pollMs }) => (isKnown(bin) ? pollMs : Math.min(EAGER_MS, pollMs)),
      });
      return linkBus(bus, { protocol, address }, ({ bin }) => ({ unit: null, bins: [bin] }));
    }
    const driver = modbusDriver<BinPoint>(link);
    const bus = new Bus({
      ...options,
      driver,
      timeoutMs,
      pauseMs: link.pauseMs,
      scales: slavesOf(link),
      paceMs: ({ points, pollMs }) =>
        points.every(({ bin }) => isKnown(bin)) ? pollMs : Math.min(EAGER_MS, pollMs),
      onRead: ({ points }, reads) => {
        if ('ok' in reads) for (const { bin } of points) take(bin, reads);
        else for (const { point, read } of reads) take(point.bin, read);
      },
    });
    return linkBus(bus, { protocol, address }, (slave) => ({
      unit: slave.unit,
      bins: slave.points.map(({ bin }) => bin),
      requests: driver
        .requestsOf(slave)
        .map(({ table, first, count }) => ({ table, first, count })),
    }));
  }

  #take(link: string, { bin, division }: BinConfig, read: BinRead): void {
    this.#watch?.polled(link);
    this.#note(link, bin, read);
    const stamp = this.#stamp();
    const { at } = stamp;
    const options = { minSamples: this.#config.report.minSamples, division };
    const next = settle(this.#settling.get(bin) ?? startSettling, { at, read }, options);
    this.#settling.set(bin, next.state);
    if (next.level === null) return;
    this.#known.add(bin);
    this.#intake.take(bin, next.level, stamp);
  }

  #note(link: string, bin: BinId, read: BinRead): void {
    if (read.ok) this.#weighedAt.set(bin, this.#clock.monotonicMs());
    const before = this.#devices.get(bin);
    if (before !== undefined && before.ok === read.ok && (read.ok || before.fault === read.why)) {
      return;
    }
    const device = { bin, link, ok: read.ok };
    this.#devices.set(bin, read.ok ? device : { ...device, fault: read.why });
    if (read.ok && before !== undefined) this.#log.info(device, 'the scale is read again');
    if (read.ok) return;
    this.#log.warn({ ...device, fault: read.why }, 'the scale gives no weight');
    if (WIRE_FAULTS.has(read.quality)) this.#watch?.fault(link, read.quality, read.why);
  }
}

/** A bus that names its slaves. */
function linkBus<Scale extends { readonly pollMs: number }, Read>(
  bus: Bus<Scale, Read>,
  line: { readonly protocol: string; readonly address: string },
  nameOf: (scale: Scale) => SlaveName,
): LinkBus {
  return {
    start: () => bus.start(),
    stop: () => bus.stop(),
    snapshot: () => linkSnapshot(bus.snapshot(), line, nameOf),
  };
}
