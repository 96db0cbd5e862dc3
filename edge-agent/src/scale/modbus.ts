import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import modbus from 'modbus-serial';
import { Failure, messageOf } from '#shared/failure.ts';
import type { ScaleRead } from '../core/scale-read.ts';
import { charactersMs, openLine, openSocket, silence, type LineAddress } from './line.ts';
import type { ScaleDriver, ScaleSession } from './port.ts';
import type { RegisterProfile } from './profile.ts';
import { decodeRegisters } from './registers.ts';
import { RtuPort } from './rtu-port.ts';

export interface ModbusScale {
  readonly unit: number;
  readonly profile: RegisterProfile;
  readonly countMg: number;
}

/** Besides where the line is: `timeoutMs` also bounds every answer. */
export interface ModbusLink extends LineAddress {
  readonly protocol: 'modbus-tcp' | 'modbus-rtu' | 'modbus-rtu-over-tcp';
}

type Client = InstanceType<typeof modbus.default>;

/**
 * Modbus by modbus-serial (8.0.25 or newer: before, a truncated answer was read as zeros). Where it
 * falls short is made up for here: it has no deadline of its own, its promises never settle after a
 * close, overlapping requests overwrite each other, and a port's error without a listener would end
 * the process. See node-modbus-serial#369, #253, #379, #624.
 */
export function modbusDriver(link: ModbusLink): ScaleDriver<ModbusScale> {
  return {
    open: async () => {
      if (link.protocol === 'modbus-tcp') {
        const client = new modbus.default();
        const socket = await openSocket(link);
        // The listener for errors first: the library re-emits those of the port.
        client.on('error', () => socket.destroy());
        await client.linkTCP(socket, { port: socket.remotePort ?? 0 });
        // Answers carry the number of their request, so a late one is told from the next.
        return new ModbusSession(client, socket, { ...link, rtu: null });
      }
      const line = await openLine(link);
      const port = new RtuPort(line);
      const client = new modbus.default(port);
      client.on('error', () => line.destroy());
      client.open();
      return new ModbusSession(client, line, { ...link, rtu: port });
    },
  };
}

/** Exceptions that say the request itself is wrong, from the Modbus application protocol, ch. 7. */
const CONFIG_EXCEPTIONS: ReadonlySet<number> = new Set([1, 2, 3]);

/** The gateway reached nobody at the other end of its line. */
const TARGET_SILENT = 0x0b;

/** Silence that ends an RTU frame, in characters (Modbus over serial line V1.02, 2.5.1.1). */
const FRAME_END_CHARACTERS = 3.5;

/** Some slaves need this before they listen again; the usual turnaround of RS-485 adapters. */
const TURNAROUND_MS = 5;

class ModbusSession implements ScaleSession<ModbusScale> {
  readonly #client: Client;
  readonly #line: Duplex;
  readonly #link: ModbusLink & { readonly rtu: RtuPort | null };
  /** Slowest answer seen on this line, ms; before the first, as slow as any may be. */
  #slowestMs: number | null = null;

  constructor(client: Client, line: Duplex, link: ModbusLink & { readonly rtu: RtuPort | null }) {
    this.#client = client;
    this.#line = line;
    this.#link = link;
  }

  async read({ unit, profile, countMg }: ModbusScale): Promise<ScaleRead> {
    if (this.#link.rtu !== null) await sleep(this.#frameEndMs);
    const { address, registers } = profile.block;
    this.#client.setID(unit);
    const startedAt = performance.now();
    try {
      const answer = await this.#inTime(() =>
        profile.table === 'input'
          ? this.#client.readInputRegisters(address, registers)
          : this.#client.readHoldingRegisters(address, registers),
      );
      this.#slowestMs = Math.max(this.#slowestMs ?? 0, performance.now() - startedAt);
      return decodeRegisters(profile, answer.data, countMg);
    } catch (error) {
      const code = exceptionOf(error);
      if (code === null || code === TARGET_SILENT) throw this.#failure(error, unit);
      const quality = CONFIG_EXCEPTIONS.has(code) ? 'config-error' : 'comm-error';
      return { ok: false, quality, why: messageOf(error) };
    }
  }

  async drain(): Promise<void> {
    const { rtu, timeoutMs } = this.#link;
    if (rtu === null) return;
    rtu.forget();
    const quietMs = this.#frameEndMs + (this.#slowestMs ?? timeoutMs);
    await silence(this.#line, { quietMs, longestMs: quietMs + timeoutMs });
  }

  close(): void {
    this.#line.destroy();
  }

  get #frameEndMs(): number {
    return TURNAROUND_MS + charactersMs(FRAME_END_CHARACTERS, this.#link);
  }

  /** The library's promise may never settle: neither after a close nor without an answer. */
  #inTime<T>(request: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { timeoutMs } = this.#link;
      const end = (): void => {
        clearTimeout(deadline);
        this.#line.off('close', closed);
      };
      const closed = (): void => {
        end();
        reject(new Error('the line was closed'));
      };
      const deadline = setTimeout(() => {
        end();
        reject(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#line.once('close', closed);
      request().then(resolve, reject).finally(end);
    });
  }

  #failure(cause: unknown, unit: number): Failure {
    const code = this.#line.destroyed ? 'link-down' : 'scale-silent';
    return new Failure(code, `unit ${unit}: ${messageOf(cause)}`, { retry: 'later', cause });
  }
}

/** The code of an exception that a slave answered with, or `null` for any other failure. */
function exceptionOf(error: unknown): number | null {
  const code = error instanceof Error && 'modbusCode' in error ? error.modbusCode : null;
  return typeof code === 'number' ? code : null;
}
