import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Failure, messageOf } from '#shared/failure.ts';
import { faultRule } from '../faults/section.ts';
import { KEYS, type Control, type Outcome, type Refusal } from './control.ts';

const HOST = '127.0.0.1';
/** More than any request of ours. */
const MAX_BODY = 16_384;
const MAX_FRAMES = 500;
const PAGES = new URL('../panel/', import.meta.url);
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/panel.css': ['panel.css', 'text/css; charset=utf-8'],
  ...Object.fromEntries(
    ['panel.js', 'frames.js', 'page.js', 'words.js', 'texts.js'].map((name) => [
      `/${name}`,
      [name, 'text/javascript; charset=utf-8'] as const,
    ]),
  ),
};
/** The page needs nothing from elsewhere, and nobody else may frame it. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const MEANING: Record<Refusal, string> = {
  'unknown-bin': 'there is no such bin',
  'unknown-link': 'there is no such link, or several sites have one of that name: say site/link',
  'unknown-unit': 'there is no such unit on this link',
  'unknown-fault': 'there is no such fault',
  'impossible-fault': 'this fault cannot happen with the protocol of this link',
  'not-enough': 'there is not that much in the bin',
  motion: 'the scale is not standing still',
  over: 'the weight is above the range of this key',
  under: 'the weight is below the range of this key',
};

const amountBody = z.strictObject({ quantity: z.int().min(1) });
const faultBody = faultRule.extend({
  link: z.string().min(1),
  unit: z.int().min(1).max(247).nullable().default(null),
});
const framesQuery = z.object({
  after: z.coerce.number().int().min(0).default(0),
  link: z.string().min(1).nullable().default(null),
  limit: z.coerce.number().int().min(1).max(MAX_FRAMES).default(100),
});

export interface Panel {
  readonly url: string;
  close(): Promise<void>;
}

/** A request that is answered with a problem. */
class Problem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Serves the page and the interface that page and command line use, to this machine only.
 * @throws Failure `port-unavailable`
 */
export async function openPanel(control: Control, port: number): Promise<Panel> {
  const server = createServer((request, response) => {
    respond(control, request)
      .catch(problemOf)
      .then((answer) => send(response, answer))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `panel: port ${HOST}:${port} cannot be opened: ${messageOf(cause)}`;
      reject(new Failure('port-unavailable', message, { retry: 'never', cause }));
    });
    server.listen(port, HOST, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${HOST}:${bound}/`,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
}

const json = (body: unknown, status = 200): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
});

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { ...HEADERS, 'content-type': type });
  response.end(body);
}

function problemOf(error: unknown): Answer {
  if (error instanceof Problem) return json({ error: error.message }, error.status);
  if (error instanceof z.ZodError) return json({ error: mistakesOf(error) }, 400);
  return json({ error: messageOf(error) }, 500);
}

/** One line, for the page as for the command line. */
const mistakesOf = ({ issues }: z.ZodError): string =>
  issues
    .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '))
    .join('; ');

async function respond(control: Control, request: IncomingMessage): Promise<Answer> {
  guard(request);
  const url = new URL(request.url ?? '/', 'http://panel');
  const file = request.method === 'GET' ? FILES[url.pathname] : undefined;
  if (file) {
    const [name, type] = file;
    return { status: 200, type, body: await readFile(fileURLToPath(new URL(name, PAGES))) };
  }
  const body = request.method === 'GET' ? undefined : await bodyOf(request);
  return json(route(control, { method: request.method ?? '', url, body }));
}

/**
 * Other sites' pages in the same browser must not work the panel: not by a name of theirs that
 * resolves to this machine (Host), nor by sending requests here (Origin).
 */
function guard({ headers, socket }: IncomingMessage): void {
  const port = socket.localPort ?? 0;
  const hosts = [`${HOST}:${port}`, `localhost:${port}`];
  const { host = '', origin } = headers;
  if (!hosts.includes(host)) throw new Problem(403, `not served under the name ${host}`);
  if (origin !== undefined && !hosts.some((own) => origin === `http://${own}`)) {
    throw new Problem(403, 'not served to pages of other sites');
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  // A form of another site cannot send this type without being asked first.
  if (request.headers['content-type'] !== 'application/json') {
    throw new Problem(415, 'content-type has to be application/json');
  }
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) throw new Problem(413, 'the request is too large');
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8') || '{}');
  } catch {
    throw new Problem(400, 'the body is no JSON');
  }
}

function route(
  control: Control,
  { method, url, body }: { readonly method: string; readonly url: URL; readonly body: unknown },
): unknown {
  const [, api, room, name, deed] = url.pathname.split('/').map(decodeURIComponent);
  if (api !== 'api') throw new Problem(404, `nothing at ${url.pathname}`);
  const key = KEYS.find((candidate) => candidate === deed);
  const what = `${method} ${room ?? ''}`;
  if (what === 'GET state' && name === undefined) {
    const { scenario } = control;
    return {
      scenario,
      links: control.links(),
      bins: control.bins(),
      faults: control.faults(),
    };
  }
  if (what === 'GET frames' && name === undefined) {
    const query = framesQuery.parse(Object.fromEntries(url.searchParams));
    const isKnown = control.links().some(({ site, link }) => query.link === `${site}/${link}`);
    if (query.link !== null && !isKnown) throw new Problem(404, MEANING['unknown-link']);
    return control.frames(query);
  }
  if (what === 'POST bins' && name !== undefined) {
    if (deed === 'put' || deed === 'take') {
      return done(control.act(name, deed, amountBody.parse(body).quantity));
    }
    if (key !== undefined) return done(control.press(name, key));
  }
  if (what === 'POST faults' && name === undefined) {
    const { link, unit, ...rule } = faultBody.parse(body);
    return done(control.inject(link, unit, rule));
  }
  if (what === 'DELETE faults') return { cleared: done(control.clear(name ?? null)) };
  throw new Problem(404, `nothing at ${method} ${url.pathname}`);
}

function done<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { reason } = outcome;
  throw new Problem(reason.startsWith('unknown') ? 404 : 409, MEANING[reason]);
}
