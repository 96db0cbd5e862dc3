import { customerId, ID_PATTERN } from '#shared/ids.ts';
import { createKey, listKeys, revokeKey } from '../identity/keys.ts';
import { EVERYONE, identityOf, SUPPLIER } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { keyCreatedSchema, keyCreateSchema, keySchema, meSchema, pageOf } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { granted, ID_PATH, PAGE_QUERY } from './resource.ts';

/** @throws TypeError, as the constructors of other ids do */
function keyId(text: string): string {
  if (!ID_PATTERN.test(text)) throw new TypeError(`${JSON.stringify(text)} is not a key's id`);
  return text;
}

/** Keys of the API, and whose key this is. */
export function keyRoutes(api: Api, { database, clock }: ApiDeps): void {
  const tags = ['keys'];
  api.get(
    '/me',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'getMe',
        tags,
        summary: 'Whose key this is',
        response: { 200: meSchema, ...problems() },
      },
    },
    (request) => {
      const { role, customerId, name } = identityOf(request);
      return { role, customerId, name, serverTime: clock.wallMs() };
    },
  );
  api.get(
    '/keys',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'listKeys',
        tags,
        summary: 'All keys, also revoked ones, by id; the keys themselves are not kept',
        querystring: PAGE_QUERY,
        response: { 200: pageOf(keySchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const listing = { after: idAfter(cursor, keyId), limit: limit + 1 };
      return pageFrom(await listKeys(database.sql, listing), limit, ({ id }) => id);
    },
  );
  api.post(
    '/keys',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'createKey',
        tags,
        summary: 'A new key, shown this once',
        body: keyCreateSchema,
        response: { 201: keyCreatedSchema, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const owner = body.customerId === null ? null : customerId(body.customerId);
      const wanted = { ...body, customerId: owner };
      const created = granted(await createKey(database.sql, wanted, clock.wallMs()), body.name);
      return reply.code(201).header('location', `/api/v1/keys/${created.id}`).send(created);
    },
  );
  api.delete(
    '/keys/:id',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'revokeKey',
        tags,
        summary: 'Revokes a key, for ever; its streams of events end soon after',
        params: ID_PATH,
        response: { 200: keySchema, ...problems(404) },
      },
    },
    async (request) => {
      const { id } = request.params;
      return granted(await revokeKey(database.sql, id, clock.wallMs()), id);
    },
  );
}
