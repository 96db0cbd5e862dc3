import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refused } from './problem.ts';

const TERMINALS = ['company', 'customer'] as const;
const YEAR_S = 365 * 24 * 3_600;

/**
 * Serves the built terminals. Paths below a page that are no files lead to the page, so that a
 * bookmark does too; whatever else is unknown is a problem.
 * @param folder where `vite build` wrote them; it may appear while the program runs
 */
export async function serveTerminals(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    schemaHide: true,
    redirect: true,
    setHeaders(reply, path) {
      // Names of assets have a hash of their content.
      const asset = path.startsWith(join(folder, 'assets'));
      const cache = asset ? `public, max-age=${YEAR_S}, immutable` : 'no-cache';
      reply.header('cache-control', cache);
    },
  });
  app.get('/', { schema: { hide: true } }, (_, reply) => reply.redirect('/company/'));
  app.setNotFoundHandler(async (request, reply) => {
    const page = pageOf(request);
    if (page === undefined) throw new Refused('no-such-route');
    if (!existsSync(join(folder, page))) throw new Refused('terminals-not-built');
    return reply.sendFile(page);
  });
}

/** The page that a path belongs to, where it is not the path of a missing file. */
function pageOf({ method, url }: FastifyRequest): string | undefined {
  const [path = ''] = url.split('?', 1);
  if ((method !== 'GET' && method !== 'HEAD') || /\.[^/]*$/.test(path)) return undefined;
  const terminal = TERMINALS.find((name) => path === `/${name}` || path.startsWith(`/${name}/`));
  return terminal === undefined ? undefined : `${terminal}/index.html`;
}
