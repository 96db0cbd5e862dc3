import type { FastifyRequest } from 'fastify';
import { sql } from 'kysely';
import { Histogram } from 'prom-client';
import { z } from 'zod';
import { verifyKey } from '../identity/keys.ts';
import { admit, OPEN, TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { problems } from './openapi.ts';
import { Refused } from './problem.ts';
import { REFUSALS, type Refusal } from './refusals.ts';

/** For whoever keeps the program running: outside of the API, nothing of customers. */
export function upkeepRoutes(app: Api, { database, metrics, fault }: ApiDeps): void {
  app.get(
    '/healthz',
    {
      config: { roles: OPEN },
      schema: {
        operationId: 'getHealth',
        tags: ['upkeep'],
        summary: 'Whether the program can do its work',
        security: [],
        response: { 200: z.object({ status: z.literal('ok') }), ...problems() },
      },
    },
    async () => {
      await sql`select 1`.execute(database.sql);
      const found = fault();
      if (found !== null) throw new Refused('store-damaged', found);
      return { status: 'ok' as const };
    },
  );
  app.get(
    '/metrics',
    {
      config: { roles: TECHNICAL },
      // From elsewhere they tell a stranger how busy the business is.
      onRequest: async (request) => {
        if (!isOfThisMachine(request)) await admit(request, (key) => verifyKey(database.sql, key));
      },
      schema: {
        operationId: 'getMetrics',
        tags: ['upkeep'],
        summary: 'Technical figures in the text format of Prometheus',
        description: 'Without a key from this machine only, and not through a proxy.',
        response: {
          200: {
            description: 'The figures',
            content: { 'text/plain': { schema: z.string() } },
          },
          ...problems(),
        },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}

function isOfThisMachine({ headers, socket }: FastifyRequest): boolean {
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return !isForwarded && /^(::1|(::ffff:)?127\.[\d.]+)$/.test(socket.remoteAddress ?? '');
}

/** Counts every answer and how long it took, by route rather than by address. */
export function measureAnswers(app: Api, { metrics }: ApiDeps): void {
  const seconds = new Histogram({
    name: 'offtake_http_answer_seconds',
    help: 'Time until an answer was sent',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2],
    registers: [metrics],
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const labels = { method: request.method, route, status: String(reply.statusCode) };
    seconds.observe(labels, reply.elapsedTime / 1_000);
  });
}

/** The API's own description, and what the types of its problems mean. */
export function descriptionRoutes(api: Api): void {
  api.get('/openapi.json', { config: { roles: OPEN }, schema: { hide: true } }, async () =>
    api.swagger(),
  );
  const problemText = z.object({ status: z.int(), title: z.string(), advice: z.string() });
  api.get(
    '/problems/:name',
    {
      config: { roles: OPEN },
      schema: {
        operationId: 'getProblem',
        tags: ['upkeep'],
        summary: 'What a type of problem means and what to do about it',
        security: [],
        params: z.object({ name: z.string().max(64) }),
        response: { 200: problemText, ...problems(404) },
      },
    },
    async (request) => {
      const { name } = request.params;
      if (!isRefusal(name)) throw new Refused('not-found');
      return REFUSALS[name];
    },
  );
}

function isRefusal(name: string): name is Refusal {
  return Object.hasOwn(REFUSALS, name);
}
