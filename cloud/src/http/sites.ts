import { customerId, siteId } from '#shared/ids.ts';
import { createSite, getSite, listSites, changeSite } from '../stock/sites.ts';
import { EVERYONE, scopeOf, TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { pageOf, siteChangeSchema, siteSchema } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { found, granted, ID_PATH, PAGE_QUERY } from './resource.ts';

/** Where bins stand: at a customer's, or the supplier's own. */
export function siteRoutes(api: Api, { database }: ApiDeps): void {
  const tags = ['sites'];
  api.get(
    '/sites',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listSites',
        tags,
        summary: 'All sites, by id',
        querystring: PAGE_QUERY,
        response: { 200: pageOf(siteSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const listing = { after: idAfter(cursor, siteId), limit: limit + 1 };
      const items = await database.scoped(scopeOf(request), (tx) => listSites(tx, listing));
      return pageFrom(items, limit, ({ id }) => id);
    },
  );
  api.get(
    '/sites/:id',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'getSite',
        tags,
        summary: 'One site',
        params: ID_PATH,
        response: { 200: siteSchema, ...problems(404) },
      },
    },
    async (request) => {
      const id = siteId(request.params.id);
      return found(await database.scoped(scopeOf(request), (tx) => getSite(tx, id)), id);
    },
  );
  api.post(
    '/sites',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'createSite',
        tags,
        summary: 'A new site; whose it is never changes',
        body: siteSchema,
        response: { 201: siteSchema, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const owner = body.customerId === null ? null : customerId(body.customerId);
      const site = { ...body, id: siteId(body.id), customerId: owner };
      const created = granted(await createSite(database.sql, site), site.id);
      return reply.code(201).header('location', `/api/v1/sites/${created.id}`).send(created);
    },
  );
  api.patch(
    '/sites/:id',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'changeSite',
        tags,
        summary: 'Another name or time zone for a site',
        params: ID_PATH,
        body: siteChangeSchema,
        response: { 200: siteSchema, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const id = siteId(request.params.id);
      return granted(await changeSite(database.sql, id, request.body), id);
    },
  );
}
