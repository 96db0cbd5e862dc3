import { z } from 'zod';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod';
import type { SwaggerOptions } from '@fastify/swagger';
import {
  agentCreatedSchema,
  agentSchema,
  binSchema,
  configurationSchema,
  configurationVersionSchema,
  consumptionSchema,
  customerSchema,
  keyCreatedSchema,
  keySchema,
  meSchema,
  movementSchema,
  problemSchema,
  productSchema,
  readingSchema,
  siteSchema,
  stockSchema,
} from './contract.ts';
import { PROBLEM_TYPE } from './problem.ts';

/** Shapes that have a name in the document. */
const registry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries({
  Agent: agentSchema,
  AgentCreated: agentCreatedSchema,
  Bin: binSchema,
  Configuration: configurationSchema,
  ConfigurationVersion: configurationVersionSchema,
  Consumption: consumptionSchema,
  Customer: customerSchema,
  Key: keySchema,
  KeyCreated: keyCreatedSchema,
  Me: meSchema,
  Movement: movementSchema,
  Problem: problemSchema,
  Product: productSchema,
  Reading: readingSchema,
  Site: siteSchema,
  Stock: stockSchema,
})) {
  registry.add(schema, { id });
}

export const OPENAPI: SwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Offtake',
      version: '1',
      description:
        'Stock and consumption, measured where they are. Times are milliseconds since 1970 UTC; ' +
        'quantities are integers: pieces, or milligrams of bulk products. Lists come in pages: ' +
        'give `next` as `cursor` to read on. Refusals are problems as RFC 9457 has them.',
    },
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key, `off_…`.' },
      },
    },
    security: [{ key: [] }],
  },
  transform: createJsonSchemaTransform({ schemaRegistry: registry }),
  transformObject: createJsonSchemaTransformObject({ schemaRegistry: registry }),
};

const problem = (description: string) => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: problemSchema } },
});

const PROBLEM_ANSWERS = {
  400: problem('The request is not as expected'),
  401: problem('No key, or an unknown or revoked one'),
  403: problem("The key's role may not do this"),
  404: problem('There is no such thing, or it is not yours'),
  409: problem('It contradicts what is there'),
  413: problem('The body is too large'),
  415: problem('The body is not JSON'),
  500: problem('Our fault'),
  503: problem('Try again later'),
};

/** The problems that a route may answer with, for its schema; those of every route included. */
export function problems(...statuses: readonly (keyof typeof PROBLEM_ANSWERS)[]) {
  const answers: Partial<Record<number, (typeof PROBLEM_ANSWERS)[400]>> = {};
  for (const status of [400, 401, 403, ...statuses, 500, 503] as const) {
    answers[status] = PROBLEM_ANSWERS[status];
  }
  return answers;
}
