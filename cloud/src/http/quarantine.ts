import { z } from 'zod';
import { agentId } from '#shared/ids.ts';
import { listKinds, listQuarantine } from '../ingest/quarantined.ts';
import { TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import {
  pageOf,
  quarantineKindSchema,
  quarantineQuerySchema,
  quarantineSchema,
  replayedPageSchema,
  replayedSchema,
  replaySchema,
} from './contract.ts';
import { problems } from './openapi.ts';
import { numberAfter, pageFrom } from './page.ts';
import { ALL, found, ifGiven } from './resource.ts';

/** A message may have a quarter of a megabyte. */
const MOST_MESSAGES = 100;
const NUMBER_PATH = z.object({
  id: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'expected the number of a quarantined message or row')
    .transform(Number),
});

/** What could not be taken, and taking it after all. */
export function quarantineRoutes(api: Api, { database, ledger }: ApiDeps): void {
  const tags = ['quarantine'];
  api.get(
    '/quarantine',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'listQuarantine',
        tags,
        summary: 'Messages and readings that could not be taken, and why; newest first',
        description: `A page has at most ${MOST_MESSAGES}, whatever the limit.`,
        querystring: quarantineQuerySchema.strict(),
        response: { 200: pageOf(quarantineSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor } = request.query;
      const limit = Math.min(request.query.limit, MOST_MESSAGES);
      const items = await listQuarantine(database.sql, {
        agent: ifGiven(request.query.agentId, agentId),
        before: numberAfter(cursor) ?? ALL,
        limit: limit + 1,
      });
      const shown = items.map((item) => ({
        ...item,
        payload: Buffer.from(item.payload).toString('base64'),
      }));
      return pageFrom(shown, limit, ({ id }) => id);
    },
  );
  api.get(
    '/quarantine/kinds',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'listQuarantineKinds',
        tags,
        summary: 'How much is in quarantine by agent and kind of reason, and how much was dropped',
        description:
          'An agent may have 10,000 messages and rows there, or 32 MiB; then the oldest of the ' +
          'kind that takes most room are dropped and counted.',
        querystring: quarantineQuerySchema.strict(),
        response: { 200: pageOf(quarantineKindSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const skipped = numberAfter(cursor) ?? 0;
      const items = await listKinds(database.sql, {
        agent: ifGiven(request.query.agentId, agentId),
        after: skipped,
        limit: limit + 1,
      });
      return pageFrom(items, limit, ({ place }) => place);
    },
  );
  replayRoutes(api, ledger);
}

function replayRoutes(api: Api, ledger: ApiDeps['ledger']): void {
  const tags = ['quarantine'];
  const description =
    'As late data: stored, folded and out of the quarantine at once. What still cannot be taken ' +
    "stays, with today's reason. Doing it again is harmless.";
  api.post(
    '/quarantine/replay',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'replayQuarantine',
        tags,
        summary: 'Tries quarantined readings again, oldest first, as after a bin was corrected',
        description,
        body: replaySchema,
        response: { 200: replayedPageSchema, ...problems(413, 415) },
      },
    },
    async (request) => {
      const { agentId: asked, after, limit } = request.body;
      const agent = ifGiven(asked, agentId);
      const { items } = await ledger.readmit({ agent, after, limit });
      const replayed = items.map(({ agent: sender, ...item }) => ({ ...item, agentId: sender }));
      return { items: replayed, next: items.at(-1)?.id ?? null };
    },
  );
  api.post(
    '/quarantine/:id/replay',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'replayQuarantined',
        tags,
        summary: 'Tries one quarantined message or row again',
        description,
        params: NUMBER_PATH,
        response: { 200: replayedSchema, ...problems(404) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { items } = await ledger.readmit({ id, limit: 1 });
      const { agent, ...item } = found(items[0], `quarantined ${id}`);
      return { ...item, agentId: agent };
    },
  );
}
