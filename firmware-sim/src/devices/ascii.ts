import type { FigureModel } from '../core/figures.ts';

/** What an ASCII device depends on, beside its indicator. */
export interface AsciiModel extends FigureModel {
  readonly serial: string;
}

/** What a command leads to. */
export interface AsciiOutcome {
  /** Sent at once; `null`: nothing. */
  readonly reply: Buffer | null;
  /** Begins or ends sending without being asked; absent: as it was. */
  readonly stream?: boolean;
}

/** A scale that sends its weight as text, by itself or when asked. */
export interface AsciiDevice {
  /** The weight as it is now, in the device's own format. */
  frame(): Buffer;
  /** @returns how much of `text` is its first command; 0 where it is not complete yet */
  commandLength(text: string): number;
  execute(command: string): AsciiOutcome;
}

export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Commands that are lines, ended by CR, LF or both. */
export function lineLength(text: string): number {
  return /^[^\r\n]*[\r\n]+/.exec(text)?.[0].length ?? 0;
}

/**
 * A number in a fixed width, with its sign first and zeros after it: `+00012.34`. What is too long
 * loses its first digits on such devices; these scales are chosen so that it does not happen.
 */
export function signed(text: string, width: number): string {
  const negative = text.startsWith('-');
  const digits = negative ? text.slice(1) : text;
  return (negative ? '-' : '+') + digits.padStart(width - 1, '0').slice(1 - width);
}
