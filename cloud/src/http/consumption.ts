import { binId, customerId, productId, siteId, type BinId } from '#shared/ids.ts';
import { DAY_MS } from '#shared/units.ts';
import type { Period } from '../consumption/core/steps.ts';
import { consumption, type ConsumptionFilter } from '../consumption/queries.ts';
import type { Scope } from '../database/database.ts';
import { listStock } from '../stock/view.ts';
import { EVERYONE, scopeOf } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { consumptionQuerySchema, consumptionSchema } from './contract.ts';
import { problems } from './openapi.ts';
import { Refused } from './problem.ts';
import { ALL, ifGiven } from './resource.ts';

/** How much and how fast. */
export function consumptionRoutes(api: Api, deps: ApiDeps): void {
  const { database, clock } = deps;
  api.get(
    '/consumption',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'getConsumption',
        tags: ['consumption'],
        summary: 'Amount and speed of consumption of any period, place and product',
        description:
          'Whatever a period is split into adds up to the whole, and the total is the sum over ' +
          'customers and over products. `consumedLow` and `consumedHigh` are apart where only the ' +
          'net could be seen.',
        querystring: consumptionQuerySchema.strict(),
        response: { 200: consumptionSchema, ...problems() },
      },
    },
    async (request) => {
      const { by, step, timeZone, own, ...asked } = request.query;
      const scope = scopeOf(request);
      const to = asked.to ?? clock.wallMs();
      const from = asked.from ?? Math.max(0, to - DAY_MS);
      const filter = {
        own,
        customer: ifGiven(asked.customerId, customerId),
        site: ifGiven(asked.siteId, siteId),
        product: ifGiven(asked.productId, productId),
        bin: ifGiven(asked.binId, binId),
      };
      const query = { from, to, by, step, timeZone, ...filter };
      const answer = await consumption((part) => database.scoped(scope, part), query);
      if (!answer.ok) throw new Refused(answer.reason);
      const stale = await staleBins(deps, scope, filter, { from, to });
      return { from, to, rows: [...answer.rows], stale };
    },
  );
}

/** Bins that might have told more of the period, were they well. */
async function staleBins(
  { database, readings, changes, clock }: ApiDeps,
  scope: Scope,
  { own, customer, site, product, bin }: ConsumptionFilter,
  { to }: Period,
): Promise<BinId[]> {
  const query = {
    customerId: customer,
    siteId: site,
    productId: product,
    ...(bin !== undefined && { binIds: [bin] }),
    limit: ALL,
  };
  const stocks = await listStock(
    { database, readings, live: changes },
    scope,
    query,
    clock.wallMs(),
  );
  return stocks
    .filter(({ customerId }) => own === 'include' || (own === 'only') === (customerId === null))
    .filter(({ health, readAt }) => health !== 'ok' && (readAt === null || readAt < to))
    .map(({ binId }) => binId);
}
