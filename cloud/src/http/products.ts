import { productId } from '#shared/ids.ts';
import { createProduct, getProduct, listProducts, renameProduct } from '../stock/products.ts';
import { EVERYONE, scopeOf, SUPPLIER } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { pageOf, productChangeSchema, productSchema } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { found, granted, ID_PATH, PAGE_QUERY } from './resource.ts';

/** What is kept in bins. A customer sees those that are or were in its own. */
export function productRoutes(api: Api, { database }: ApiDeps): void {
  const tags = ['products'];
  api.get(
    '/products',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listProducts',
        tags,
        summary: 'All products that one may see, by id',
        querystring: PAGE_QUERY,
        response: { 200: pageOf(productSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const listing = { after: idAfter(cursor, productId), limit: limit + 1 };
      const items = await database.scoped(scopeOf(request), (tx) => listProducts(tx, listing));
      return pageFrom(items, limit, ({ id }) => id);
    },
  );
  api.get(
    '/products/:id',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'getProduct',
        tags,
        summary: 'One product',
        params: ID_PATH,
        response: { 200: productSchema, ...problems(404) },
      },
    },
    async (request) => {
      const id = productId(request.params.id);
      return found(await database.scoped(scopeOf(request), (tx) => getProduct(tx, id)), id);
    },
  );
  api.post(
    '/products',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'createProduct',
        tags,
        summary: 'A new product; its unit and mass never change',
        body: productSchema,
        response: { 201: productSchema, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const product = { ...request.body, id: productId(request.body.id) };
      const created = granted(await createProduct(database.sql, product), product.id);
      return reply.code(201).header('location', `/api/v1/products/${created.id}`).send(created);
    },
  );
  api.patch(
    '/products/:id',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'changeProduct',
        tags,
        summary: 'Another name for a product',
        params: ID_PATH,
        body: productChangeSchema,
        response: { 200: productSchema, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const id = productId(request.params.id);
      const { name } = request.body;
      if (name === undefined) return found(await getProduct(database.sql, id), id);
      return granted(await renameProduct(database.sql, id, name), id);
    },
  );
}
