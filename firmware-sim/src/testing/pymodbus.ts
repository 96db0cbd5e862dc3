import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { requireProgram } from '#shared/testing/programs.ts';

/** Debian's own python comes first: python3-pymodbus is installed for that one. */
const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import pymodbus'], { stdio: 'ignore' }).status === 0,
);

/** Whether pymodbus is there; where it is missing, as `requireProgram`. */
export const requirePymodbus = (): boolean =>
  PYTHON !== undefined || requireProgram('python3-pymodbus');

export type Request = readonly [
  unit: number,
  table: 'holding' | 'input' | 'coil' | 'discrete',
  address: number,
  count: number,
];

const answers = z.array(z.union([z.array(z.int()), z.string()]));

/** @returns what each request read, or why it did not; see modbus-client.py */
export async function readByPymodbus(
  how: 'tcp' | 'rtu',
  where: string,
  requests: readonly Request[],
): Promise<z.infer<typeof answers>> {
  const script = join(import.meta.dirname, 'modbus-client.py');
  const args = [script, how, where, JSON.stringify(requests)];
  const { stdout } = await promisify(execFile)(PYTHON ?? 'python3', args);
  return answers.parse(JSON.parse(stdout));
}
