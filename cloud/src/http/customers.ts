import { customerId } from '#shared/ids.ts';
import { createCustomer, getCustomer, listCustomers, renameCustomer } from '../stock/customers.ts';
import { EVERYONE, scopeOf, SUPPLIER } from './access.ts';
import type { Api, ApiDeps } from './api.ts';
import { pageOf, customerChangeSchema, customerSchema } from './contract.ts';
import { problems } from './openapi.ts';
import { idAfter, pageFrom } from './page.ts';
import { found, granted, ID_PATH, PAGE_QUERY } from './resource.ts';

/** Whose sites the bins stand at. A customer sees itself. */
export function customerRoutes(api: Api, { database }: ApiDeps): void {
  const tags = ['customers'];
  api.get(
    '/customers',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'listCustomers',
        tags,
        summary: 'All customers, by id',
        querystring: PAGE_QUERY,
        response: { 200: pageOf(customerSchema), ...problems() },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const listing = { after: idAfter(cursor, customerId), limit: limit + 1 };
      const items = await database.scoped(scopeOf(request), (tx) => listCustomers(tx, listing));
      return pageFrom(items, limit, ({ id }) => id);
    },
  );
  api.get(
    '/customers/:id',
    {
      config: { roles: EVERYONE },
      schema: {
        operationId: 'getCustomer',
        tags,
        summary: 'One customer',
        params: ID_PATH,
        response: { 200: customerSchema, ...problems(404) },
      },
    },
    async (request) => {
      const id = customerId(request.params.id);
      return found(await database.scoped(scopeOf(request), (tx) => getCustomer(tx, id)), id);
    },
  );
  api.post(
    '/customers',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'createCustomer',
        tags,
        summary: 'A new customer',
        body: customerSchema,
        response: { 201: customerSchema, ...problems(409, 413, 415) },
      },
    },
    async (request, reply) => {
      const customer = { ...request.body, id: customerId(request.body.id) };
      const created = granted(await createCustomer(database.sql, customer), customer.id);
      return reply.code(201).header('location', `/api/v1/customers/${created.id}`).send(created);
    },
  );
  api.patch(
    '/customers/:id',
    {
      config: { roles: SUPPLIER },
      schema: {
        operationId: 'changeCustomer',
        tags,
        summary: 'Another name for a customer',
        params: ID_PATH,
        body: customerChangeSchema,
        response: { 200: customerSchema, ...problems(404, 413, 415) },
      },
    },
    async (request) => {
      const id = customerId(request.params.id);
      const { name } = request.body;
      if (name === undefined) return found(await getCustomer(database.sql, id), id);
      return granted(await renameCustomer(database.sql, id, name), id);
    },
  );
}
