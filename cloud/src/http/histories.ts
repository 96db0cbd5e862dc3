import { binId, type BinId } from '#shared/ids.ts';
import type { Reading } from '#shared/reading.ts';
import { listGaps } from '../consumption/gaps.ts';
import { listMovements } from '../consumption/movements.ts';
import type { Scope } from '../database/database.ts';
import { getBin, setupsOf } from '../stock/bins.ts';
import { EVERYONE, scopeOf, TECHNICAL } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import {
  gapSchema,
  historyQuerySchema,
  movementSchema,
  pageOf,
  readingSchema,
  recomputedSchema,
  recomputeQuerySchema,
  setupSchema,
} from './contract.ts';
import { problems } from './openapi.ts';
import { numberAfter, pageFrom } from './page.ts';
import { found, ID_PATH, PAGE_QUERY } from './resource.ts';

const HISTORY_QUERY = historyQuerySchema.strict();

/** What a bin has been through: its readings, its movements, its gaps, its setups. */
export function historyRoutes(api: Api, deps: ApiDeps): void {
  const { database, ledger } = deps;
  const tags = ['bins'];
  api.get(
    '/bins/:id/readings',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listReadings',
        tags,
        summary: 'Readings of a bin as they came, oldest first',
        params: ID_PATH,
        querystring: HISTORY_QUERY,
        response: { 200: pageOf(readingSchema), ...problems(404) },
      },
    },
    async (request) => {
      const bin = await visible(deps, scopeOf(request), request.params.id);
      const { from, to, cursor, limit } = request.query;
      const start = Math.max(from, (numberAfter(cursor) ?? -1) + 1);
      const items: Reading[] = [];
      const range = { from: start, to, limit: limit + 1 };
      for await (const chunk of deps.readings.read(bin, range)) items.push(...chunk);
      return pageFrom(items, limit, ({ at }) => at);
    },
  );
  api.get(
    '/bins/:id/movements',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listMovements',
        tags,
        summary: 'Movements of a bin, oldest first; opening + quantities = closing',
        params: ID_PATH,
        querystring: HISTORY_QUERY,
        response: { 200: pageOf(movementSchema), ...problems(404) },
      },
    },
    async (request) => {
      const bin = await visible(deps, scopeOf(request), request.params.id);
      const { from, to, cursor, limit } = request.query;
      const listing = { from, to, after: numberAfter(cursor), limit: limit + 1 };
      const movements = await database.scoped(scopeOf(request), (tx) =>
        listMovements(tx, bin, listing),
      );
      const { items, next } = pageFrom(movements, limit, ({ ordinal }) => ordinal);
      return {
        items: items.map(({ product, ...movement }) => ({
          binId: bin,
          productId: product,
          ...movement,
        })),
        next,
      };
    },
  );
  api.get(
    '/bins/:id/gaps',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listGaps',
        tags,
        summary: 'Stretches of a bin that were not measured or lost, and why, oldest first',
        params: ID_PATH,
        querystring: HISTORY_QUERY,
        response: { 200: pageOf(gapSchema), ...problems(404) },
      },
    },
    async (request) => {
      const bin = await visible(deps, scopeOf(request), request.params.id);
      const { from, to, cursor, limit } = request.query;
      const listing = { from, to, after: numberAfter(cursor), limit: limit + 1 };
      const gaps = await database.scoped(scopeOf(request), (tx) => listGaps(tx, bin, listing));
      const { items, next } = pageFrom(gaps, limit, ({ ordinal }) => ordinal);
      return { items: items.map((gap) => ({ binId: bin, ...gap })), next };
    },
  );
  api.get(
    '/bins/:id/setups',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listSetups',
        tags,
        summary: 'What a bin held from when on, oldest first',
        params: ID_PATH,
        querystring: PAGE_QUERY,
        response: { 200: pageOf(setupSchema), ...problems(404) },
      },
    },
    async (request) => {
      const bin = await visible(deps, scopeOf(request), request.params.id);
      const { cursor, limit } = request.query;
      const after = numberAfter(cursor) ?? -1;
      const setups = await database.scoped(scopeOf(request), (tx) => setupsOf(tx, bin));
      const rest = setups.filter(({ since }) => since > after);
      return pageFrom(rest, limit, ({ since }) => since);
    },
  );
  api.post(
    '/bins/:id/recompute',
    {
      config: { roles: TECHNICAL },
      schema: {
        operationId: 'recomputeBin',
        tags,
        summary: 'Compares the ledger of a bin with what all its stored readings say',
        params: ID_PATH,
        querystring: recomputeQuerySchema.strict(),
        response: { 200: recomputedSchema, ...problems(404) },
      },
    },
    async (request) => {
      const bin = await visible(deps, scopeOf(request), request.params.id);
      const compared = await ledger.recompute(bin, request.query.repair === 'true');
      return { binId: bin, ...compared };
    },
  );
}

/** @throws Refused `not-found` for a bin that the asker may not see */
async function visible({ database }: ApiDeps, scope: Scope, text: string): Promise<BinId> {
  const id = binId(text);
  return found(await database.scoped(scope, (tx) => getBin(tx, id)), id).id;
}
