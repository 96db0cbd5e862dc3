import { dirname } from 'node:path';
import type { Clock } from '#shared/clock.ts';
import { Failure, messageOf } from '#shared/failure.ts';
import { decodeWireRecording, type WireRecording } from '#shared/wire-recording.ts';
import { frameText } from '../control/frame-text.ts';
import { meaningOf } from '../control/meaning.ts';
import type { Framing } from '../core/faults.ts';
import { framingOf } from '../faults/section.ts';
import { listen } from '../transports/listener.ts';
import { serveAsPty } from '../transports/pty.ts';
import { createScript } from './core/script.ts';
import { turnsOf } from './core/turns.ts';
import { replayTo, type Told } from './player.ts';

/** Where the agent finds the replayed devices. */
export type Place = { readonly port: number } | { readonly pty: string };

export interface RunningReplay {
  /** `127.0.0.1:port`, or the pseudo-terminal's path: the `address` for agent.yaml. */
  readonly address: string;
  /** Rejects when the pseudo-terminal cannot be kept. */
  readonly failed: Promise<never>;
  /** May be called twice. */
  close(): Promise<void>;
}

/**
 * Takes the place of the devices that an agent's recording is of.
 * @param file only for messages
 * @param print is given one line for each thing that happens
 * @throws Failure `damaged-recording`, `port-unavailable`, `pty-unavailable`
 */
export async function startReplay(options: {
  readonly file: string;
  readonly text: string;
  readonly place: Place;
  readonly repeat: boolean;
  readonly clock: Clock;
  readonly print: (line: string) => void;
}): Promise<RunningReplay> {
  const { file, text, place, repeat, clock, print } = options;
  const recording = recordingOf(file, text);
  const { header } = recording;
  const framing = framingIn(header.protocol);
  if ('pty' in place && framing === 'mbap') {
    throw unusable(file, 'Modbus TCP has no serial line: replay it with --listen');
  }
  const turns = turnsOf(recording, framing);
  const script = createScript(turns, { framing, repeat });
  const said = telling({ framing, faultAt: header.at, clock, print });
  const listener = await listen('replay', 'port' in place ? place.port : 0, (client) =>
    replayTo({ script, turns, framing, repeat, tell: said }, client),
  );
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const pty =
    'pty' in place
      ? await serveAsPty({
          folder: dirname(place.pty),
          path: place.pty,
          port: listener.port,
          onLost: reject,
        }).catch(async (error: unknown) => {
          await listener.close();
          throw error;
        })
      : null;
  const address = pty?.path ?? `127.0.0.1:${listener.port}`;
  for (const line of introduction(recording, address)) print(line);
  return {
    address,
    failed,
    async close() {
      await pty?.close();
      await listener.close();
    },
  };
}

function recordingOf(file: string, text: string): WireRecording {
  let recording: WireRecording;
  try {
    recording = decodeWireRecording(text);
  } catch (error) {
    throw unusable(file, messageOf(error), error);
  }
  if (recording.pieces.some(({ hex }) => hex !== '')) return recording;
  throw unusable(file, 'no byte was recorded, so there is nothing to replay');
}

function unusable(file: string, why: string, cause?: unknown): Failure {
  return new Failure('damaged-recording', `${file}: ${why}`, { retry: 'never', cause });
}

/** The agent tells RTU over TCP from RTU on a serial port. */
function framingIn(protocol: string): Framing {
  return framingOf(protocol === 'modbus-rtu-over-tcp' ? 'modbus-rtu' : protocol);
}

function introduction({ header, pieces }: WireRecording, address: string): string[] {
  const { protocol, link, fault, at, why } = header;
  const firstAt = pieces[0]?.at ?? at;
  const span = Math.max(0, (pieces.at(-1)?.at ?? at) - firstAt) / 1_000;
  return [
    `link ${link}, ${protocol}: ${fault} at ${new Date(at).toISOString()}${why === undefined ? '' : `: ${why}`}`,
    `${pieces.length} pieces of ${span.toFixed(1)} s, from ${((at - firstAt) / 1_000).toFixed(1)} s before the fault`,
    `ready: give the agent's link the address ${address}`,
  ];
}

const SILENT: Readonly<Record<'no-answer' | 'unknown' | 'over', string>> = {
  'no-answer': 'no answer, as recorded',
  unknown: 'not in the recording: no answer',
  over: 'the end of the recording, no answer is left: silent (with --repeat it begins again)',
};

/** Lines for people: the time of now, what went over the line, and when that was in the recording. */
function telling(options: {
  readonly framing: Framing;
  readonly faultAt: number;
  readonly clock: Clock;
  readonly print: (line: string) => void;
}): (told: Told) => void {
  const { framing, faultAt, clock, print } = options;
  let request: Buffer | null = null;
  return (told) => {
    const now = new Date(clock.wallMs()).toISOString();
    if (told.kind === 'open' || told.kind === 'close') {
      print(`${now}  the line was ${told.kind === 'open' ? 'opened' : 'closed'}`);
      return;
    }
    if (told.kind !== 'request' && told.kind !== 'answer') {
      print(`${now}  ${SILENT[told.kind]}`);
      return;
    }
    const dir = told.kind === 'request' ? 'rx' : 'tx';
    if (told.kind === 'request') request = told.bytes;
    const meaning = meaningOf(framing, dir, told.bytes, request);
    const frame = frameText({ dir, hex: told.bytes.toString('hex'), fault: null, meaning });
    print(`${now}  ${sinceFault(told.recordedAt, faultAt)}  ${frame}`);
  };
}

/** When this was in the recording, s after the fault. */
function sinceFault(recordedAt: number | null, faultAt: number): string {
  if (recordedAt === null) return '         ';
  const seconds = (recordedAt - faultAt) / 1_000;
  return `${seconds < 0 ? '' : '+'}${seconds.toFixed(3)} s`.padStart(9);
}
