import type { Duplex } from 'node:stream';
import { createMbapReader, encodeMbap } from '../modbus/mbap.ts';
import { answer, exception, EXCEPTION, type RegisterDevice } from '../modbus/pdu.ts';

/** Serves the units behind one Modbus TCP address; a unit that is not there answers 0x0B. */
export function serveModbusTcp(units: ReadonlyMap<number, RegisterDevice>, client: Duplex): void {
  const reader = createMbapReader();
  client.on('data', (chunk: Buffer) => {
    const frames = reader.push(chunk);
    if (frames === null) {
      client.destroy();
      return;
    }
    for (const { transaction, unit, pdu } of frames) {
      const device = units.get(unit);
      const response = device
        ? answer(device, pdu)
        : exception(pdu, EXCEPTION.targetFailedToRespond);
      client.write(encodeMbap({ transaction, unit, pdu: response }));
    }
  });
}
