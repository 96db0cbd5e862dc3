import type { Duplex } from 'node:stream';
import type { ScaleRead } from '../core/scale-read.ts';
import { aAndDCodec } from './a-and-d.ts';
import type { AsciiLink } from './ascii-config.ts';
import { casCodec, casRequest } from './cas.ts';
import { agrees, type Codec, type Frame } from './frame.ts';
import { openLine, silence, type LineAddress } from './line.ts';
import { Listener } from './listener.ts';
import { openMtSics } from './mt-sics.ts';
import { ohausCodec } from './ohaus.ts';
import type { ScaleDriver, ScaleSession } from './port.ts';
import { SBI_PRINT, sbiCodec } from './sbi.ts';
import { toledoCodec } from './toledo.ts';

export interface AsciiScale {
  readonly divisionMg: number;
}

interface Speech {
  readonly codec: Codec;
  /** What to ask with; `null` where the scale sends by itself. */
  readonly request: string | null;
}

/** A scale with an ASCII protocol on a serial port or behind a serial device server. */
export function asciiDriver(link: AsciiLink & LineAddress): ScaleDriver<AsciiScale> {
  return {
    open: async () => {
      const line = await openLine(link);
      return link.protocol === 'mt-sics'
        ? openMtSics(line, link)
        : new AsciiSession(line, { ...speechOf(link), timeoutMs: link.timeoutMs });
    },
  };
}

function speechOf(link: Exclude<AsciiLink, { protocol: 'mt-sics' }>): Speech {
  switch (link.protocol) {
    case 'toledo':
      return { codec: toledoCodec(link), request: null };
    case 'a-and-d':
      return { codec: aAndDCodec(link), request: polled(link, `${link.command}\r\n`) };
    case 'cas': {
      const device = link.mode === 'polled' ? link.device : undefined;
      return { codec: casCodec({ device }), request: polled(link, casRequest(link.device)) };
    }
    case 'ohaus':
      return { codec: ohausCodec(link), request: polled(link, `${link.command}\r\n`) };
    case 'sbi':
      return { codec: sbiCodec(link), request: polled(link, SBI_PRINT) };
    default:
      return link satisfies never;
  }
}

const polled = ({ mode }: { mode: 'continuous' | 'polled' }, request: string): string | null =>
  mode === 'polled' ? request : null;

/**
 * A read is answered by the newest frame that came in after it was asked for, never by one from
 * before: a stream that stands still is a silent scale. And only by one that the frame right before
 * it confirms; a scale that is asked is asked once more where it does not.
 */
export class AsciiSession implements ScaleSession<AsciiScale> {
  readonly #line: Duplex;
  readonly #options: Speech & { readonly timeoutMs: number };
  readonly #listener: Listener<Frame>;
  /** The newest frame of all. */
  #newest: Frame | null = null;
  /** Answers that were not waited for any longer, and may still come. */
  #owed = 0;

  constructor(line: Duplex, options: Speech & { readonly timeoutMs: number }) {
    this.#line = line;
    this.#options = options;
    this.#listener = new Listener(line, options.codec, {
      timeoutMs: options.timeoutMs,
      idle: (frames) => {
        this.#newest = frames.at(-1) ?? this.#newest;
      },
    });
  }

  async read({ divisionMg }: AsciiScale): Promise<ScaleRead> {
    const { codec, request } = this.#options;
    const owed = this.#owed;
    let seen = 0;
    let contested = false;
    const ask = (): void => {
      if (request === null) return;
      this.#line.write(request, 'latin1');
      this.#owed += 1;
    };
    if (request !== null) codec.clear();
    const read = await this.#listener.until<ScaleRead>(
      (frames) => {
        seen += frames.length;
        const [before, now] = [frames.at(-2) ?? this.#newest, frames.at(-1) ?? null];
        // The first burst of a line may have waited in a device server for hours.
        const isFirst = this.#newest === null;
        this.#newest = now;
        const isSure = now !== null && before !== null && agrees(before, now, { divisionMg });
        contested ||= before !== null && !isSure;
        if (isSure && !isFirst && (request === null || seen > owed)) return now.read;
        ask();
        return null;
      },
      { ask, contested: () => (contested ? CONTRADICTING : seen === 0 ? null : UNCONFIRMED) },
    );
    this.#owed = 0;
    return read;
  }

  /** A stream is never silent; then it is enough to forget what was heard. */
  async drain(): Promise<void> {
    const { codec, request, timeoutMs } = this.#options;
    if (request !== null) {
      await silence(this.#line, { quietMs: timeoutMs, longestMs: 3 * timeoutMs });
    }
    codec.clear();
    this.#newest = null;
  }

  close(): void {
    this.#line.destroy();
  }
}

const CONTRADICTING: ScaleRead = {
  ok: false,
  quality: 'comm-error',
  why: 'what the scale sends contradicts itself; check the wiring, speed and parity',
};

const UNCONFIRMED: ScaleRead = {
  ok: false,
  quality: 'comm-error',
  why: 'too few frames to be sure; set timeoutMs longer than two of them take',
};
