import { agentId } from '#shared/ids.ts';
import { listAgents } from '../identity/agents.ts';
import { renewSecret, setDisabled } from '../identity/credentials.ts';
import { TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import {
  agentAccessSchema,
  agentSchema,
  secretRenewalSchema,
  secretRenewedSchema,
} from './contract.ts';
import { problems } from './openapi.ts';
import { found, granted, ID_PATH } from './resource.ts';

/** With what agents come in, and who does no more. */
export function credentialRoutes(api: Api, { database, clock, endSession }: ApiDeps): void {
  const tags = ['agents'];
  api.post(
    '/agents/:id/secret',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'renewAgentSecret',
        tags,
        summary: 'A new secret of an agent, shown this once',
        description:
          'The old one is good until the new one is first used. With `oldEnds: now` it ends at ' +
          'once, and so does the session that the agent has.',
        params: ID_PATH,
        body: secretRenewalSchema,
        response: { 201: secretRenewedSchema, ...problems(404, 413, 415) },
      },
    },
    async (request, reply) => {
      const id = agentId(request.params.id);
      const { oldEnds } = request.body;
      const { secret } = granted(await renewSecret(database.sql, id, oldEnds), id);
      if (oldEnds === 'now') endSession(id);
      return reply.code(201).send({ id, secret });
    },
  );
  api.put(
    '/agents/:id/access',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'setAgentAccess',
        tags,
        summary: 'Shuts an agent out, ending its session, or lets it in again',
        description:
          'What it measures meanwhile stays in its outbox. Its secret is not changed by this.',
        params: ID_PATH,
        body: agentAccessSchema,
        response: { 200: agentSchema, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const id = agentId(request.params.id);
      const { disabled } = request.body;
      granted(await setDisabled(database.sql, id, disabled ? clock.wallMs() : null), id);
      if (disabled) endSession(id);
      const [agent] = await listAgents(database.sql, { ids: [id], limit: 1 });
      return found(agent, id);
    },
  );
}
