import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a program that a test needs is installed.
 * @returns false, naming on standard error what is skipped, where it is missing
 * @throws Error where it is missing and `CI=true`: there nothing may be skipped
 */
export function requireProgram(name: string): boolean {
  // Debian keeps servers such as mosquitto in sbin, which is not on everybody's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  if (folders.some((folder) => isExecutable(join(folder, name)))) return true;
  if (process.env['CI'] === 'true') {
    throw new Error(`${name} is not installed, and with CI=true no test is skipped`);
  }
  process.stderr.write(`skipped, since ${name} is not installed: the tests that need it\n`);
  return false;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
