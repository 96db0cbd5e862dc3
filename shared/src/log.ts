import { pino, type Logger } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Structured log on standard output, one JSON object a line.
 * Log changes of state; readings are counters, not log lines.
 */
export function createLog(program: string, level: LogLevel): Log {
  return pino({ name: program, level, base: { pid: process.pid } });
}
