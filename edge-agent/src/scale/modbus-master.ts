import { EventEmitter } from 'node:events';
import modbus from 'modbus-serial';
import type { ModbusTable } from '../core/request-plan.ts';
import type { ModbusAnswer, ModbusRequest } from './modbus-frame.ts';

/**
 * The port that modbus-serial's client speaks to. Its own ports believe a length in a header and
 * keep the rest of a broken answer for the next one (node-modbus-serial#369, #624), so this one only
 * hands over: a line of ours tells the frames apart.
 */
class FramePort extends EventEmitter {
  /** The client keeps its one outstanding request under these. */
  readonly _transactionIdRead = 1;
  readonly _transactionIdWrite = 1;
  readonly isOpen = true;
  readonly #send: (frame: Buffer) => void;

  constructor(send: (frame: Buffer) => void) {
    super();
    this.#send = send;
  }

  open(done: () => void): void {
    done();
  }

  write(frame: Buffer): void {
    this.#send(frame);
  }
}

type Client = InstanceType<typeof modbus.default>;
type Reader = (first: number, count: number) => Promise<{ data: (number | boolean)[] }>;

/**
 * Requests and answers of Modbus by modbus-serial. Frames on both sides are unit, PDU and CRC.
 * Its promise of a request that is never answered never settles: deadlines are the line's.
 */
export class ModbusMaster {
  readonly #port: FramePort;
  readonly #client: Client;
  readonly #readers: Readonly<Record<ModbusTable, Reader>>;

  /** @param send is given every request's frame */
  constructor(send: (frame: Buffer) => void) {
    this.#port = new FramePort(send);
    const client = new modbus.default(this.#port);
    this.#client = client;
    this.#readers = {
      coil: (first, count) => client.readCoils(first, count),
      discrete: (first, count) => client.readDiscreteInputs(first, count),
      holding: (first, count) => client.readHoldingRegisters(first, count),
      input: (first, count) => client.readInputRegisters(first, count),
    };
    client.open();
  }

  /**
   * Sends a request; the one before it is forgotten, answered or not.
   * @throws Error where what came is no answer to it
   */
  async ask(request: ModbusRequest): Promise<ModbusAnswer> {
    this.#client.setID(request.unit);
    try {
      const { data } = await this.#readers[request.table](request.first, request.count);
      // Bits come in whole bytes.
      return { ok: true, words: data.slice(0, request.count).map(Number) };
    } catch (error) {
      const exception = exceptionOf(error);
      if (exception === null) throw error;
      return { ok: false, exception };
    }
  }

  /** @param frame whole, neither more nor less */
  answered(frame: Buffer): void {
    this.#port.emit('data', frame);
  }
}

/** The code of an exception that a slave answered with, or `null` for any other failure. */
function exceptionOf(error: unknown): number | null {
  const code = error instanceof Error && 'modbusCode' in error ? error.modbusCode : null;
  return typeof code === 'number' ? code : null;
}
