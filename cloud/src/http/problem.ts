import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { Failure, type Retry } from '#shared/failure.ts';
import type { Problem } from './contract.ts';
import { REFUSALS, type Refusal } from './refusals.ts';

export const PROBLEM_TYPE = 'application/problem+json';

type FieldError = NonNullable<Problem['errors']>[number];

/** Thrown where a request is refused; becomes the answer. */
export class Refused extends Error {
  readonly refusal: Refusal;
  readonly errors: readonly FieldError[] | undefined;

  /** @param detail what is wrong in this case; what to do follows by itself */
  constructor(refusal: Refusal, detail?: string, errors?: readonly FieldError[]) {
    super(detail ?? REFUSALS[refusal].title);
    this.name = 'Refused';
    this.refusal = refusal;
    this.errors = errors;
  }
}

/**
 * A problem as RFC 9457 has it.
 * @param detail what is wrong in this case
 */
function problemOf({ refusal, message, errors }: Refused): Problem {
  const { status, title, advice } = REFUSALS[refusal];
  const detail = message === title ? advice : `${message.replace(/\.$/, '')}. ${advice}`;
  return {
    type: `/api/v1/problems/${refusal}`,
    title,
    status,
    detail,
    ...(errors !== undefined && { errors: [...errors] }),
  };
}

export async function sendRefused(reply: FastifyReply, refused: Refused): Promise<void> {
  const problem = problemOf(refused);
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer realm="offtake"');
  if (problem.status === 503) void reply.header('retry-after', RETRY_AFTER_S);
  await reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .header('cache-control', 'no-store')
    .serializer(JSON.stringify)
    .send(problem);
}

const RETRY_AFTER_S = 5;

const FAILURES: Record<Retry, Refusal> = {
  now: 'unavailable',
  later: 'unavailable',
  never: 'internal',
};

/** What fastify itself refuses, by the code of its errors; others of its 4xx are `malformed`. */
const FRAMEWORK: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_NOT_FOUND: 'no-such-route',
};

/** Whatever was thrown, as an answer; what is our fault is logged, and its text is kept inside. */
export async function sendThrown(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const refused = refusedBy(thrown);
  if (REFUSALS[refused.refusal].status >= 500) {
    request.log.error({ err: thrown, route: request.routeOptions.url }, 'request failed');
  }
  await sendRefused(reply, refused);
}

function refusedBy(thrown: unknown): Refused {
  if (thrown instanceof Refused) return thrown;
  if (thrown instanceof Failure) return new Refused(FAILURES[thrown.retry]);
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const where = PLACES[thrown.validationContext ?? 'body'] ?? 'The body';
    return new Refused('invalid', `${where} is not as expected`, thrown.validation.flatMap(fields));
  }
  if (thrown instanceof Error && 'code' in thrown && 'statusCode' in thrown) {
    const { code, statusCode, message } = thrown;
    const known = typeof code === 'string' ? FRAMEWORK[code] : undefined;
    if (known !== undefined) return new Refused(known);
    if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
      return new Refused('malformed', message);
    }
  }
  return new Refused('internal');
}

const PLACES: Readonly<Record<string, string>> = {
  body: 'The body',
  querystring: 'The query',
  params: 'The path',
  headers: 'A header',
};

interface ZodFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** One error a field, with a JSON pointer (RFC 6901) to it; an unknown key is pointed at itself. */
function fields({ keyword, instancePath, message, params }: ZodFault): FieldError[] {
  const pointer = instancePath === '/' ? '' : instancePath;
  const { keys } = params;
  if (keyword === 'unrecognized_keys' && Array.isArray(keys)) {
    return keys.map((key) => ({
      pointer: `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`,
      detail: 'expected no such key',
    }));
  }
  return [{ pointer, detail: message ?? 'not as expected' }];
}
