import { agentId, siteId } from '#shared/ids.ts';
import { topicPrefix } from '#shared/wire/topics.ts';
import { createAgent, listAgents } from '../identity/agents.ts';
import { TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { agentCreatedSchema, agentCreateSchema, agentSchema, pageOf } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { found, granted, ID_PATH, PAGE_QUERY } from './resource.ts';

/** The gateways at the sites. */
export function agentRoutes(api: Api, { database, clock, ledger }: ApiDeps): void {
  const tags = ['agents'];
  api.get(
    '/agents',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'listAgents',
        tags,
        summary: 'All agents with what they last said of themselves, by id',
        querystring: PAGE_QUERY,
        response: { 200: pageOf(agentSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const listing = { after: idAfter(cursor, agentId), limit: limit + 1 };
      return pageFrom(await listAgents(database.sql, listing), limit, ({ id }) => id);
    },
  );
  api.get(
    '/agents/:id',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'getAgent',
        tags,
        summary: 'One agent',
        params: ID_PATH,
        response: { 200: agentSchema, ...problems(404) },
      },
    },
    async (request) => {
      const id = agentId(request.params.id);
      const [agent] = await listAgents(database.sql, { ids: [id], limit: 1 });
      return found(agent, id);
    },
  );
  api.post(
    '/agents',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'createAgent',
        tags,
        summary: 'A new agent; its secret is shown this once',
        body: agentCreateSchema,
        response: { 201: agentCreatedSchema, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const agent = { id: agentId(body.id), siteId: siteId(body.siteId) };
      const created = granted(await createAgent(database.sql, agent, clock.wallMs()), agent.id);
      ledger.forgetCatalogue();
      return reply
        .code(201)
        .header('location', `/api/v1/agents/${created.id}`)
        .send({ ...created, topicPrefix: topicPrefix(created.id) });
    },
  );
}
