import { Failure } from '#shared/failure.ts';
import {
  planRequests,
  splitRequest,
  type ModbusTable,
  type PlannedRequest,
} from '../core/request-plan.ts';
import type { BinRead, ScaleFault } from '../core/scale-read.ts';
import { openLine, openSocket, type LineAddress } from './line.ts';
import type { ModbusLine } from './modbus-line.ts';
import type { ReadLimits, ScaleDriver, ScaleSession } from './port.ts';
import { RtuLine } from './rtu-line.ts';
import { TcpLine } from './tcp-line.ts';

/** A scale or sensor behind a slave: the registers it needs from one request, and what they mean. */
export interface ModbusPoint {
  readonly table: ModbusTable;
  readonly first: number;
  readonly count: number;
  /** @param words exactly `count` registers or bits, of one answer */
  decode(words: readonly number[]): BinRead;
}

/** All points behind one unit id, read together. */
export interface ModbusSlave<Point extends ModbusPoint = ModbusPoint> {
  readonly unit: number;
  readonly points: readonly Point[];
  readonly maxRegisters: number;
}

/** What a slave's points gave. */
export type ModbusReads<Point> = readonly { readonly point: Point; readonly read: BinRead }[];

/** Besides where the line is: `timeoutMs` also bounds every answer. */
export interface ModbusLink extends LineAddress {
  readonly protocol: 'modbus-tcp' | 'modbus-rtu' | 'modbus-rtu-over-tcp';
  /** Unwanted registers that may be read along to spare a request. */
  readonly maxGap?: number | undefined;
}

export interface ModbusDriver<Point extends ModbusPoint> extends ScaleDriver<
  ModbusSlave<Point>,
  ModbusReads<Point>
> {
  /** The requests that a slave is asked for, as learned so far. */
  requestsOf(slave: ModbusSlave<Point>): readonly PlannedRequest<Point>[];
}

/** A gateway's or a slave's exceptions; the Modbus application protocol, chapter 7. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'failure of the device',
  5: 'it needs longer',
  6: 'it is busy',
  8: 'parity error in its memory',
  10: 'the gateway has no path to it',
  11: 'the gateway got no answer from it',
};
/** The request itself is wrong: asking again does not help. */
const CONFIG_EXCEPTIONS: ReadonlySet<number> = new Set([1, 2, 3]);
/** Too much at once, or registers between those that exist: asking for less may help. */
const SPLIT_EXCEPTIONS: ReadonlySet<number> = new Set([2, 3]);
/** Asking again soon is what the standard tells to do. */
const RETRY_EXCEPTIONS: ReadonlySet<number> = new Set([5, 6, 11]);

/**
 * Modbus by modbus-serial over lines of our own; see docs/adr/0006-modbus-frames.md. What the driver learns of its
 * slaves outlives a session.
 */
export function modbusDriver<Point extends ModbusPoint>(link: ModbusLink): ModbusDriver<Point> {
  const plans = new Map<ModbusSlave<Point>, readonly PlannedRequest<Point>[]>();
  const requestsOf = (slave: ModbusSlave<Point>): readonly PlannedRequest<Point>[] => {
    const known = plans.get(slave);
    if (known !== undefined) return known;
    const { points, maxRegisters } = slave;
    const plan = planRequests(points, { maxRegisters, maxGap: link.maxGap ?? 0 });
    plans.set(slave, plan);
    return plan;
  };
  const split = (
    slave: ModbusSlave<Point>,
    request: PlannedRequest<Point>,
  ): readonly PlannedRequest<Point>[] => {
    const halves = splitRequest(request) ?? [];
    if (halves.length > 0) {
      const after = requestsOf(slave).flatMap((each) => (each === request ? halves : [each]));
      plans.set(slave, after);
    }
    return halves;
  };
  return {
    requestsOf,
    open: async () => {
      const line = await openModbus(link);
      const session = new ModbusSession<Point>(line, { link, requestsOf, split });
      return session;
    },
  };
}

async function openModbus(link: ModbusLink): Promise<ModbusLine> {
  if (link.protocol === 'modbus-tcp') return new TcpLine(await openSocket(link));
  return new RtuLine(await openLine(link), link);
}

interface SessionOptions<Point extends ModbusPoint> {
  readonly link: ModbusLink;
  readonly requestsOf: (slave: ModbusSlave<Point>) => readonly PlannedRequest<Point>[];
  /** @returns what to ask for instead; nothing where the request cannot be split */
  readonly split: (
    slave: ModbusSlave<Point>,
    request: PlannedRequest<Point>,
  ) => readonly PlannedRequest<Point>[];
}

class ModbusSession<Point extends ModbusPoint> implements ScaleSession<
  ModbusSlave<Point>,
  ModbusReads<Point>
> {
  readonly #line: ModbusLine;
  readonly #options: SessionOptions<Point>;

  constructor(line: ModbusLine, options: SessionOptions<Point>) {
    this.#line = line;
    this.#options = options;
  }

  async read(
    slave: ModbusSlave<Point>,
    { timeoutMs = this.#options.link.timeoutMs, pauseMs = 0 }: ReadLimits = {},
  ): Promise<ModbusReads<Point>> {
    const reads: { point: Point; read: BinRead }[] = [];
    const open = this.#options.requestsOf(slave).toReversed();
    for (let request = open.pop(); request !== undefined; request = open.pop()) {
      const asked = { ...request, unit: slave.unit };
      const answer = await this.#line.exchange(asked, { timeoutMs, pauseMs });
      if (answer.ok) {
        for (const point of request.items) {
          const from = point.first - request.first;
          const words = answer.words.slice(from, from + point.count);
          reads.push({ point, read: point.decode(words) });
        }
        continue;
      }
      const { exception } = answer;
      const parts = SPLIT_EXCEPTIONS.has(exception) ? this.#options.split(slave, request) : [];
      if (parts.length > 0) {
        open.push(...parts.toReversed());
        continue;
      }
      const fault = refusal(slave.unit, exception);
      for (const point of request.items) reads.push({ point, read: fault });
    }
    return reads;
  }

  async drain(): Promise<void> {
    await this.#line.drain();
  }

  close(): void {
    this.#line.close();
  }
}

/** @throws Failure `slave-busy` or `gateway-silent` where asking again may help */
function refusal(unit: number, exception: number): ScaleFault {
  const why = `unit ${unit}: exception ${exception}, ${EXCEPTIONS[exception] ?? 'unknown'}`;
  if (RETRY_EXCEPTIONS.has(exception)) {
    const code = exception === 11 ? 'gateway-silent' : 'slave-busy';
    throw new Failure(code, why, { retry: 'now' });
  }
  const quality = CONFIG_EXCEPTIONS.has(exception) ? 'config-error' : 'comm-error';
  return { ok: false, quality, why };
}
