import type { FastifyRequest } from 'fastify';
import type { Scope } from '../database/database.ts';
import type { ApiKey } from '../identity/keys.ts';
import type { Role } from './contract.ts';
import { Refused } from './problem.ts';

/** Roles that a route lets in; a route of the API without such a list lets nobody in. */
export const EVERYONE: readonly Role[] = ['supplier', 'technician', 'customer'];
export const TECHNICAL: readonly Role[] = ['supplier', 'technician'];
export const SUPPLIER: readonly Role[] = ['supplier'];
/** Also those without a key. */
export const OPEN = 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    roles?: readonly Role[] | typeof OPEN;
  }
  interface FastifyRequest {
    /** Whose key the request came with; null on open routes. */
    identity: ApiKey | null;
  }
}

/** @returns what is known of a key; `undefined` where it is unknown or revoked */
export type Identify = (key: string) => Promise<ApiKey | undefined>;

/** @throws Refused without a valid key, or with one whose role may not */
export async function admit(request: FastifyRequest, identify: Identify): Promise<void> {
  const { roles = [] } = request.routeOptions.config;
  if (roles === OPEN) return;
  const identity = await identify(bearerOf(request));
  if (identity === undefined) throw new Refused('unauthenticated', 'The key is unknown or revoked');
  if (!roles.includes(identity.role)) {
    throw new Refused('forbidden', `A key of role ${identity.role} may not do this`);
  }
  request.identity = identity;
}

/** The key as the client sent it (RFC 6750, 2.1). */
export function bearerOf({ headers }: FastifyRequest): string {
  const key = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (key === undefined) throw new Refused('unauthenticated', 'The request has no key');
  return key;
}

export function identityOf({ identity }: FastifyRequest): ApiKey {
  if (identity === null) throw new Error('the route asks for no key');
  return identity;
}

/** Whose rows the asker may see. */
export function scopeOf(request: FastifyRequest): Scope {
  return identityOf(request).customerId ?? '*';
}
