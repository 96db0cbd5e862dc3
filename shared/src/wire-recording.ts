import { z } from 'zod';

/**
 * A wire recording is what went over one link around one fault, as lines of JSON. The first line
 * says what it is about, every further line is a piece of bytes as it was handed to or came from
 * the line, oldest first. Pieces are not frames: what arrived merged or torn is written so.
 *
 *   {"protocol":"modbus-rtu","link":"hall-2","fault":"timeout","at":1760000000000,"why":"…"}
 *   {"at":1759999999000,"link":"hall-2","dir":"tx","hex":"010300000002c40b"}
 *   {"at":1759999999021,"link":"hall-2","dir":"rx","hex":"0103040000"}
 *
 * `at` is ms since 1970 UTC of the agent's clock; only differences matter for a replay. `tx` is
 * from the agent to the devices, `rx` from the devices to the agent. An empty `hex` with `event`
 * tells of the line itself: it was opened there, or closed: by the agent (`tx`), or by the other
 * side or a broken line (`rx`). Memory is bounded, so a recording may start
 * with an answer whose request is no longer known.
 */
export interface WireHeader {
  /** As in agent.yaml, e.g. `modbus-tcp`: how the pieces are to be read. */
  readonly protocol: string;
  readonly link: string;
  /** What went wrong, one word as in the file's name, e.g. `timeout`. */
  readonly fault: string;
  /** When it went wrong, ms since 1970 UTC. */
  readonly at: number;
  /** For people. */
  readonly why?: string | undefined;
}

export interface WirePiece {
  readonly at: number;
  readonly link: string;
  readonly dir: 'tx' | 'rx';
  /** Lower case, two digits a byte. */
  readonly hex: string;
  readonly event?: 'open' | 'close' | undefined;
}

export interface WireRecording {
  readonly header: WireHeader;
  readonly pieces: readonly WirePiece[];
}

const headerSchema = z.object({
  protocol: z.string().min(1),
  link: z.string().min(1),
  fault: z.string().min(1),
  at: z.number().min(0),
  why: z.string().optional(),
});

const pieceSchema = z.object({
  at: z.number().min(0),
  link: z.string().min(1),
  dir: z.enum(['tx', 'rx']),
  hex: z.string().regex(/^(?:[0-9a-f]{2})*$/i, 'two hexadecimal digits a byte'),
  event: z.enum(['open', 'close']).optional(),
});

export function encodeWireRecording({ header, pieces }: WireRecording): string {
  return [header, ...pieces].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/**
 * Unknown keys are ignored, so that newer agents' recordings replay in older simulators. A last
 * line that a crash tore off is left out.
 * @throws Error naming the first line that is none of a wire recording
 */
export function decodeWireRecording(text: string): WireRecording {
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  const [first = torn, ...rest] = lines;
  return {
    header: decodeLine(first, 1, headerSchema),
    pieces: rest.flatMap((line, index) =>
      line.trim() === '' ? [] : [decodeLine(line, index + 2, pieceSchema)],
    ),
  };
}

function decodeLine<T>(text: string, line: number, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
        : 'no JSON';
    throw new Error(`line ${line} is none of a wire recording: ${why}`, { cause: error });
  }
}
