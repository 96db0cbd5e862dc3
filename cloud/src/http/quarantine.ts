import { TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { pageOf, quarantineSchema } from './contract.ts';
import { problems } from './openapi.ts';
import { numberAfter, pageFrom } from './page.ts';
import { ALL, PAGE_QUERY } from './resource.ts';

/** A message may have a quarter of a megabyte. */
const MOST_MESSAGES = 100;

/** What could not be taken. */
export function quarantineRoutes(api: Api, { database }: ApiDeps): void {
  api.get(
    '/quarantine',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'listQuarantine',
        tags: ['agents'],
        summary: 'Messages and readings that could not be taken, and why; newest first',
        description: `A page has at most ${MOST_MESSAGES}, whatever the limit.`,
        querystring: PAGE_QUERY,
        response: { 200: pageOf(quarantineSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor } = request.query;
      const limit = Math.min(request.query.limit, MOST_MESSAGES);
      const rows = await database.sql
        .selectFrom('quarantine')
        .selectAll()
        .where('id', '<', numberAfter(cursor) ?? ALL)
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute();
      const items = rows.map((row) => ({
        id: row.id,
        agentId: row.agent_id,
        receivedAt: row.received_ms,
        epoch: row.epoch,
        seq: row.seq,
        index: row.row_index,
        reason: row.reason,
        payload: Buffer.from(row.payload).toString('base64'),
        times: row.times,
      }));
      return pageFrom(items, limit, ({ id }) => id);
    },
  );
}
