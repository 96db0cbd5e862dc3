import type { Clock } from '#shared/clock.ts';
import type { BinId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import type { Status } from '#shared/wire/status.ts';
import { Bus } from './bus.ts';
import type { AgentConfig, LinkConfig, ScaleConfig } from './config.ts';
import type { Stamp } from './core/device-clock.ts';
import type { ScaleRead } from './core/scale-read.ts';
import { settle, startSettling, type Settling } from './core/settling.ts';
import type { Intake } from './intake.ts';
import { asciiDriver } from './scale/ascii.ts';
import { isAscii } from './scale/ascii-config.ts';
import { modbusDriver } from './scale/modbus.ts';
import { loadProfile } from './scale/profile.ts';

type Device = NonNullable<Status['devices']>[number];

interface Running {
  start(): void;
  stop(): Promise<void>;
}

/** All links of the agent: from reads of scales to settled levels. */
export class Poller {
  readonly #buses: readonly Running[];
  readonly #devices = new Map<BinId, Device>();
  readonly #settling = new Map<BinId, Settling>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #intake: Intake;
  readonly #minSamples: number;
  readonly #stamp: () => Stamp;

  constructor(options: {
    readonly config: AgentConfig;
    readonly clock: Clock;
    readonly log: Log;
    readonly intake: Intake;
    /** The device's time of now. */
    readonly stamp: () => Stamp;
  }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#intake = options.intake;
    this.#stamp = options.stamp;
    this.#minSamples = options.config.report.minSamples;
    this.#buses = options.config.links.map((link) => this.#busOf(link));
  }

  start(): void {
    for (const bus of this.#buses) bus.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#buses.map((bus) => bus.stop()));
  }

  /** What the scales answered last; a scale that was not read yet is not among them. */
  devices(): Device[] {
    return [...this.#devices.values()];
  }

  #busOf(link: LinkConfig): Running {
    const { name } = link;
    const options = { name, clock: this.#clock, log: this.#log };
    const onRead = (scale: ScaleConfig, read: ScaleRead): void => this.#take(name, scale, read);
    if (isAscii(link)) {
      return new Bus({ ...options, driver: asciiDriver(link), scales: link.scales, onRead });
    }
    const scales = link.scales.map((scale) => ({ ...scale, profile: loadProfile(scale.profile) }));
    const byBin = new Map(link.scales.map((scale) => [scale.bin, scale]));
    return new Bus({
      ...options,
      driver: modbusDriver(link),
      scales,
      onRead: ({ bin }, read) => {
        const scale = byBin.get(bin);
        if (scale !== undefined) onRead(scale, read);
      },
    });
  }

  #take(link: string, { bin, divisionMg }: ScaleConfig, read: ScaleRead): void {
    this.#note(link, bin, read);
    const stamp = this.#stamp();
    const { at } = stamp;
    const options = { minSamples: this.#minSamples, divisionMg };
    const next = settle(this.#settling.get(bin) ?? startSettling, { at, read }, options);
    this.#settling.set(bin, next.state);
    if (next.level !== null) this.#intake.take(bin, next.level, stamp);
  }

  #note(link: string, bin: BinId, read: ScaleRead): void {
    const before = this.#devices.get(bin);
    if (before !== undefined && before.ok === read.ok && (read.ok || before.fault === read.why)) {
      return;
    }
    const device = { bin, link, ok: read.ok };
    this.#devices.set(bin, read.ok ? device : { ...device, fault: read.why });
    if (read.ok && before !== undefined) this.#log.info(device, 'the scale is read again');
    if (!read.ok) this.#log.warn({ ...device, fault: read.why }, 'the scale gives no weight');
  }
}
