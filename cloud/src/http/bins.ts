import { binId, productId, siteId } from '#shared/ids.ts';
import { changeBin, createBin, getBin, listBins, type Bin } from '../stock/bins.ts';
import { EVERYONE, scopeOf, TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { binChangeSchema, binCreateSchema, binSchema, pageOf } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { found, granted, ID_PATH, ifGiven, PAGE_QUERY } from './resource.ts';

/** Bins: a scale with a container on it, and what it holds since when. */
export function binRoutes(api: Api, { database, ledger, clock }: ApiDeps): void {
  const tags = ['bins'];
  api.get(
    '/bins',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listBins',
        tags,
        summary: 'All bins, by id',
        querystring: PAGE_QUERY,
        response: { 200: pageOf(binSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const listing = { after: idAfter(cursor, binId), limit: limit + 1 };
      const items = await database.scoped(scopeOf(request), (tx) => listBins(tx, listing));
      return pageFrom(items, limit, ({ id }) => id);
    },
  );
  api.get(
    '/bins/:id',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'getBin',
        tags,
        summary: 'One bin as it is now',
        params: ID_PATH,
        response: { 200: binSchema, ...problems(404) },
      },
    },
    async (request) => {
      const id = binId(request.params.id);
      return found(await database.scoped(scopeOf(request), (tx) => getBin(tx, id)), id);
    },
  );
  api.post(
    '/bins',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'createBin',
        tags,
        summary: 'A new bin',
        body: binCreateSchema,
        response: { 201: binSchema, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const bin = {
        ...body,
        id: binId(body.id),
        siteId: siteId(body.siteId),
        productId: productId(body.productId),
      };
      const outcome = await database.transaction((tx) => createBin(tx, bin, clock.wallMs()));
      const created = granted(outcome, bin.id);
      ledger.forgetCatalogue();
      return reply.code(201).header('location', `/api/v1/bins/${created.id}`).send(created);
    },
  );
  api.patch(
    '/bins/:id',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'changeBin',
        tags,
        summary: 'Another name, capacity, product, tare or piece mass',
        description:
          'Product, tare and piece mass hold from `since` until the next of the setups. The history ' +
          'after it is told anew, and what that changes stays visible as a restatement.',
        params: ID_PATH,
        body: binChangeSchema,
        response: { 200: binSchema, ...problems(404, 409, 413, 415) },
      },
    },
    async (request) => {
      const id = binId(request.params.id);
      const { productId: product, ...rest } = request.body;
      const change = { ...rest, productId: ifGiven(product, productId) };
      const nowMs = clock.wallMs();
      let changed: Bin | undefined;
      await ledger.restateBin(id, 'setup-changed', async (tx) => {
        const { bin, refoldFrom } = granted(await changeBin(tx, id, change, nowMs), id);
        changed = bin;
        return refoldFrom;
      });
      return found(changed, id);
    },
  );
}
