import { z } from 'zod';
import { binId, customerId, ID_PATTERN, productId, siteId } from '#shared/ids.ts';
import { listStock } from '../stock/view.ts';
import { EVERYONE, scopeOf } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { pageOf, stockSchema } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { ifGiven, PAGE_QUERY } from './resource.ts';

const id = z.string().regex(ID_PATTERN).optional();
const STOCK_QUERY = PAGE_QUERY.extend({ customerId: id, siteId: id, productId: id });

/** What is where now. */
export function stockRoutes(api: Api, { database, readings, changes, clock }: ApiDeps): void {
  api.get(
    '/stock',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listStock',
        tags: ['stock'],
        summary: 'The stock of every bin, with its age and health, by bin',
        querystring: STOCK_QUERY,
        response: { 200: pageOf(stockSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit, ...filter } = request.query;
      const query = {
        customerId: ifGiven(filter.customerId, customerId),
        siteId: ifGiven(filter.siteId, siteId),
        productId: ifGiven(filter.productId, productId),
        after: idAfter(cursor, binId),
        limit: limit + 1,
      };
      const sources = { database, readings, live: changes };
      const items = await listStock(sources, scopeOf(request), query, clock.wallMs());
      return pageFrom(items, limit, ({ binId }) => binId);
    },
  );
}
