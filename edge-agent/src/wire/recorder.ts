import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Clock } from '#shared/clock.ts';
import { messageOf } from '#shared/failure.ts';
import type { Log } from '#shared/log.ts';
import { MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import { encodeWireRecording } from '#shared/wire-recording.ts';
import { WireRing } from './ring.ts';

/** Some 250 requests of a scale and their answers; 200 links take 4.5 MB. */
const MEMORY = { bytes: 16_384, pieces: 512 };

/** What follows a fault is part of it: a late answer, the next try. */
const AFTER_MS = 2 * SECOND_MS;

/** The same fault of the same link again and again says nothing new, and an SD card wears out. */
const AGAIN_MS = 10 * MINUTE_MS;

/** What the folder may hold; the oldest files go first. One file has at most 70 kB. */
const FOLDER = { files: 50, bytes: 2_097_152 };

export interface WireRecorderOptions {
  /** Made inside the agent's folder when the first recording is written. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly afterMs?: number;
  readonly againMs?: number;
  readonly memory?: { readonly bytes: number; readonly pieces: number };
  readonly most?: { readonly files: number; readonly bytes: number };
}

/** Hears what goes over the lines of one link. */
export interface WireTap {
  /** To be called with every line of the link when it is open. */
  attach(line: Duplex): void;
}

/**
 * Keeps the newest pieces of every link in memory, and writes those around a fault to
 * `<time>-<link>-<fault>.jsonl`. It never stands in the way: where it cannot write, it says so once.
 */
export class WireRecorder {
  readonly #options: WireRecorderOptions;
  readonly #links = new Map<string, { readonly ring: WireRing; readonly protocol: string }>();
  readonly #waiting = new Map<
    string,
    { readonly link: string; readonly timer: NodeJS.Timeout; readonly write: () => void }
  >();
  readonly #writtenAt = new Map<string, number>();
  #isWritable = true;

  constructor(options: WireRecorderOptions) {
    this.#options = options;
  }

  tap(link: string, protocol: string): WireTap {
    const { clock, memory = MEMORY } = this.#options;
    const ring = new WireRing(memory);
    this.#links.set(link, { ring, protocol });
    return { attach: (line) => listen(line, ring, clock) };
  }

  /**
   * Something went wrong on a link.
   * @param fault one word, part of the file's name
   */
  fault(link: string, fault: string, why: string): void {
    const { clock, afterMs = AFTER_MS, againMs = AGAIN_MS } = this.#options;
    const key = `${link}-${fault}`;
    const writtenAt = this.#writtenAt.get(key);
    const now = clock.monotonicMs();
    if (!this.#links.has(link) || (writtenAt !== undefined && now - writtenAt < againMs)) return;
    this.#writtenAt.set(key, now);
    const at = Math.max(0, clock.wallMs());
    const write = (): void => {
      this.#waiting.delete(key);
      this.#write(key, { link, fault, why, at });
    };
    const timer = setTimeout(write, afterMs);
    timer.unref();
    this.#waiting.set(key, { link, timer, write });
  }

  /** The link has ended: writes what is still waited for, and keeps nothing of it in memory. */
  forget(link: string): void {
    this.#finish((each) => each === link);
    this.#links.delete(link);
  }

  /** Writes what is still waited for; may be called twice. */
  stop(): void {
    this.#finish(() => true);
  }

  #finish(isMeant: (link: string) => boolean): void {
    for (const { link, timer, write } of this.#waiting.values()) {
      if (!isMeant(link)) continue;
      clearTimeout(timer);
      write();
    }
  }

  #write(key: string, header: { link: string; fault: string; why: string; at: number }): void {
    const { folder, log, most = FOLDER } = this.#options;
    const known = this.#links.get(header.link);
    if (known === undefined) return;
    const { protocol, ring } = known;
    const pieces = ring.pieces(header.link);
    const time = new Date(header.at).toISOString().replaceAll(/[:.]/g, '-');
    const file = join(folder, `${time}-${key}.jsonl`);
    try {
      if (!existsSync(folder)) mkdirSync(folder);
      const text = encodeWireRecording({ header: { protocol, ...header }, pieces });
      makeRoom(folder, { files: most.files - 1, bytes: most.bytes - Buffer.byteLength(text) });
      writeFileSync(`${file}.tmp`, text, { mode: 0o600 });
      renameSync(`${file}.tmp`, file);
      this.#isWritable = true;
      log.info({ link: header.link, fault: header.fault, file }, 'the wire around a fault is kept');
    } catch (error) {
      if (this.#isWritable) log.warn({ file, fault: messageOf(error) }, 'cannot keep the wire');
      this.#isWritable = false;
    }
  }
}

/** Listens without making the stream flow before its reader is there. */
function listen(line: Duplex, ring: WireRing, clock: Clock): void {
  const none = new Uint8Array();
  const push = line.push.bind(line);
  line.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk instanceof Uint8Array) ring.add(clock.wallMs(), 'rx', chunk);
    return push(chunk, encoding);
  };
  const write = line.write.bind(line) as (...args: unknown[]) => boolean;
  line.write = (chunk: unknown, ...rest: unknown[]): boolean => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    if (bytes instanceof Uint8Array) ring.add(clock.wallMs(), 'tx', bytes);
    return write(chunk, ...rest);
  };
  ring.add(clock.wallMs(), 'tx', none, 'open');
  line.once('close', (error?: unknown) => {
    const byPeer = line.readableEnded || line.errored !== null || error instanceof Error;
    ring.add(clock.wallMs(), byPeer ? 'rx' : 'tx', none, 'close');
  });
}

/** Removes the oldest recordings until the rest fits; names begin with their time. */
function makeRoom(folder: string, most: { files: number; bytes: number }): void {
  const files = readdirSync(folder)
    .filter((name) => /\.jsonl(\.tmp)?$/.test(name))
    .toSorted()
    .map((name) => ({ path: join(folder, name), bytes: statSync(join(folder, name)).size }));
  let { length: count } = files;
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of files) {
    if (count <= most.files && bytes <= most.bytes) return;
    rmSync(file.path);
    count -= 1;
    bytes -= file.bytes;
  }
}
