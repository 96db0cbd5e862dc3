import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '#shared/clock.ts';
import { Failure } from '#shared/failure.ts';
import { fileFailure } from '../file-errors.ts';
import { startReplay, type Place } from './replay.ts';

interface Options {
  readonly listen?: number;
  readonly pty?: string;
  readonly repeat?: true;
}

/** `sim replay`: a recording of the agent's wire, played to an agent at one's desk. */
export function replayCommand(outlet: {
  readonly print: (line: string) => void;
  /** Settles when it is to stop. */
  readonly untilStopped: () => Promise<void>;
}): Command {
  return new Command('replay')
    .description("take the devices' side of a recording that an agent wrote around a fault")
    .argument('<file>', 'of the agent: <dataDir>/wire/<time>-<link>-<fault>.jsonl')
    .option('--listen <127.0.0.1:port>', 'offer it over TCP; port 0: the system chooses', loopback)
    .option('--pty <path>', 'offer it as a serial port of this name (socat)')
    .option('--repeat', 'answer again from the beginning when no recorded answer is left')
    .action(async (file: string, options: Options) => {
      const place = placeOf(options);
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw fileFailure(file, error);
      });
      const { print, untilStopped } = outlet;
      const repeat = options.repeat === true;
      const replay = await startReplay({ file, text, place, repeat, clock: systemClock, print });
      try {
        await Promise.race([untilStopped(), replay.failed]);
      } finally {
        await replay.close();
      }
    });
}

function placeOf({ listen, pty }: Options): Place {
  if (listen !== undefined && pty === undefined) return { port: listen };
  if (pty !== undefined && listen === undefined) return { pty: resolve(pty) };
  throw new Failure('bad-option', 'say either --listen 127.0.0.1:PORT or --pty PATH', {
    retry: 'never',
  });
}

function loopback(text: string): number {
  const port = /^(?:(?:127\.0\.0\.1|localhost):)?(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined && Number(port) <= 65_535) return Number(port);
  throw new InvalidArgumentError('127.0.0.1:PORT; only this machine is served');
}
