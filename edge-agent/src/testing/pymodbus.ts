import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { requireProgram } from '#shared/testing/programs.ts';

/** Debian's own python comes first: python3-pymodbus is installed for that one. */
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import pymodbus'], { stdio: 'ignore' }).status === 0,
);

/** Whether pymodbus is there; where it is missing, as `requireProgram`. */
export const requirePymodbus = (): boolean =>
  PYTHON !== undefined || requireProgram('python3-pymodbus');

export interface ModbusDevice {
  readonly port: number;
  /** See `modbus-device.py`; settles when it is done. */
  tell(command: string): Promise<void>;
}

type Units = Readonly<Record<number, Readonly<Partial<Record<'input' | 'holding', number[]>>>>>;

/** Starts pymodbus as a device that goes with the test. */
export async function modbusDevice(framing: 'tcp' | 'rtu', units: Units): Promise<ModbusDevice> {
  const script = join(import.meta.dirname, 'modbus-device.py');
  const device = spawn(PYTHON ?? 'python3', [script, framing, JSON.stringify(units)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(device, 'exit');
  onTestFinished(async () => {
    device.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface({ input: device.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  return {
    port,
    tell: async (command) => {
      device.stdin.write(`${command}\n`);
      await lines.next();
    },
  };
}
