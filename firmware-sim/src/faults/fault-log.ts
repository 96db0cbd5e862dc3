import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import type { Injection } from './link-faults.ts';

export const FAULTS_FILE = 'faults.jsonl';

/** Writes every injected fault down, one line each. @param file `null`: only into the log */
export function faultLog(file: string | null, log: Log): (injection: Injection) => void {
  if (file !== null) mkdirSync(dirname(file), { recursive: true });
  let broken = false;
  return (injection) => {
    log.debug(injection, 'fault injected');
    if (file === null || broken) return;
    try {
      appendFileSync(file, `${JSON.stringify(injection)}\n`);
    } catch (error) {
      broken = true;
      log.error({ file, why: messageOf(error) }, 'faults can no longer be written down');
    }
  };
}
