import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { fileFailure, setAside } from '../file-errors.ts';
import type { TruthEvent } from './incidents.ts';

/**
 * What really happened, one line an event, oldest first. Since the world can be computed again, an
 * event is written exactly when it is newer than the file's last line: once each, also after a
 * crash.
 */
export interface Truth {
  /** A file that was set aside because it could not be continued, or `null`. */
  readonly replaced: string | null;
  /** Takes the events of the world from its beginning on, in order. */
  add(events: readonly TruthEvent[]): void;
  /** Writes what was taken. @throws Failure `file` */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export const TRUTH_FILE = 'truth.jsonl';

/** Changes of a bin's content have `bin`, `product`, `quantity` and `massMg`, incidents `until`. */
const lineSchema = z.union([
  z.object({
    at: z.int(),
    bin: z.string(),
    product: z.string(),
    kind: z.enum(['consumption', 'refill', 'theft', 'swap']),
    quantity: z.int(),
    massMg: z.int(),
  }),
  z.object({ at: z.int(), until: z.int(), kind: z.string(), site: z.string() }),
]);

/** More than the lines of one instant, so the tail tells where to go on. */
const TAIL_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/** Where a file of events ends: `count` lines have the newest time. */
interface End {
  readonly at: number;
  readonly count: number;
}
const BEGINNING: End = { at: -Infinity, count: 0 };

/** @throws Failure `file` */
export async function openTruth(file: string, now: number): Promise<Truth> {
  try {
    await mkdir(dirname(file), { recursive: true });
    let handle = await open(file, 'a+');
    let end = await endOf(handle);
    let replaced: string | null = null;
    if (end === null) {
      await handle.close();
      replaced = await setAside(file, now);
      handle = await open(file, 'a+');
      end = BEGINNING;
    }
    return writer(file, handle, end, replaced);
  } catch (error) {
    throw fileFailure(file, error);
  }
}

function writer(file: string, handle: FileHandle, end: End, replaced: string | null): Truth {
  let skip = end.count;
  let lines: string[] = [];
  let writing: Promise<void> = Promise.resolve();
  let closed: Promise<void> | undefined;

  function isNew(event: TruthEvent): boolean {
    if (event.at !== end.at) return event.at > end.at;
    skip -= 1;
    return skip < 0;
  }

  async function write(): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    await handle.appendFile(text).catch((error: unknown) => {
      throw fileFailure(file, error);
    });
  }

  const flush = (): Promise<void> => {
    writing = writing.then(write);
    return writing;
  };
  async function finish(): Promise<void> {
    try {
      await flush();
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  return {
    replaced,
    add(events) {
      for (const event of events) if (isNew(event)) lines.push(`${JSON.stringify(event)}\n`);
    },
    flush,
    close() {
      closed ??= finish();
      return closed;
    },
  };
}

/** Cuts off a torn last line. @returns `null` where the file's last lines are no events */
async function endOf(handle: FileHandle): Promise<End | null> {
  const { size } = await handle.stat();
  const start = Math.max(0, size - TAIL_BYTES);
  const tail = Buffer.alloc(size - start);
  await handle.read(tail, 0, tail.length, start);
  const bytes = tail.lastIndexOf(NEWLINE) + 1;
  if (bytes < tail.length) await handle.truncate(start + bytes);
  if (bytes === 0) return BEGINNING;
  const lines = tail.toString('utf8', 0, bytes - 1).split('\n');
  let at: number | undefined;
  let count = 0;
  for (const line of lines.reverse()) {
    const lineAt = timeOf(line);
    if (lineAt === null) return null;
    at ??= lineAt;
    if (lineAt !== at) break;
    count += 1;
  }
  return at === undefined ? BEGINNING : { at, count };
}

function timeOf(line: string): number | null {
  try {
    return lineSchema.parse(JSON.parse(line)).at;
  } catch {
    return null;
  }
}
