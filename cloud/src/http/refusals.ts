import type { want } from '../configuration/versions.ts';
import type { ConsumptionAnswer } from '../consumption/queries.ts';
import type { changeBin, createBin } from '../stock/bins.ts';
import type { createCustomer } from '../stock/customers.ts';
import type { createProduct } from '../stock/products.ts';
import type { createSite } from '../stock/sites.ts';

/** Why requests are refused: by this room, the consumption's, the configuration's, the stock's. */
export type Refusal =
  | HttpRefusal
  | ReasonOf<ConsumptionAnswer>
  | ReasonOf<
      Awaited<
        ReturnType<
          | typeof createProduct
          | typeof createCustomer
          | typeof createSite
          | typeof createBin
          | typeof changeBin
          | typeof want
        >
      >
    >;

type ReasonOf<Outcome> = Outcome extends { ok: false; reason: infer Reason } ? Reason : never;

type HttpRefusal =
  | 'invalid'
  | 'malformed'
  | 'invalid-cursor'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'no-such-route'
  | 'terminals-not-built'
  | 'too-large'
  | 'unsupported-media-type'
  | 'too-many-streams'
  | 'internal'
  | 'unavailable'
  | 'store-damaged';

export interface RefusalText {
  readonly status: number;
  readonly title: string;
  /** What to do. */
  readonly advice: string;
}

export const REFUSALS: Readonly<Record<Refusal, RefusalText>> = {
  invalid: {
    status: 400,
    title: 'The request is not as expected',
    advice: 'Correct what `errors` points at; /api/v1/openapi.json says what is expected.',
  },
  malformed: {
    status: 400,
    title: 'The request cannot be read',
    advice: 'Send a well-formed URL, and a body of valid JSON where one is expected.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor is not one of ours',
    advice: 'Give the `next` of a page of the same list as `cursor`, or none for the first page.',
  },
  'empty-period': {
    status: 400,
    title: 'The period is empty',
    advice: 'Give a `from` that is before `to`.',
  },
  'too-many-steps': {
    status: 400,
    title: 'The period has too many steps',
    advice: 'Ask for a shorter period or a longer step.',
  },
  'too-many-rows': {
    status: 400,
    title: 'The answer has too many rows',
    advice: 'Ask for a shorter period, a longer step, fewer groups or a narrower filter.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid key is needed',
    advice: 'Send `Authorization: Bearer off_…` with a key that the supplier gave you.',
  },
  forbidden: {
    status: 403,
    title: 'Your role may not do this',
    advice: 'Ask the supplier to do it, or for a key of another role.',
  },
  'not-found': {
    status: 404,
    title: 'There is no such thing',
    advice: 'Look at the list for the ids that are there and yours to see.',
  },
  'no-such-route': {
    status: 404,
    title: 'There is no such place',
    advice: 'See /api/v1/openapi.json for the places and methods there are.',
  },
  'terminals-not-built': {
    status: 404,
    title: 'The terminals were not built',
    advice: 'Run `npm run build` where the cloud was installed.',
  },
  exists: {
    status: 409,
    title: 'The id is taken',
    advice: 'Choose another id, or change what is there with PATCH.',
  },
  'unknown-customer': {
    status: 409,
    title: 'There is no such customer',
    advice: 'Create the customer first, or correct `customerId`.',
  },
  'unknown-site': {
    status: 409,
    title: 'There is no such site',
    advice: 'Create the site first, or correct `siteId`.',
  },
  'unknown-product': {
    status: 409,
    title: 'There is no such product',
    advice: 'Create the product first, or correct `productId`.',
  },
  'piece-mass-of-bulk': {
    status: 409,
    title: 'A bulk product has no pieces',
    advice: 'Leave `pieceMassMg` out, or choose a product that is counted in pieces.',
  },
  'since-in-future': {
    status: 409,
    title: 'A change cannot begin in the future',
    advice: 'Give a `since` that has passed, or none for now.',
  },
  'since-alone': {
    status: 409,
    title: 'Nothing is to change at that time',
    advice: 'Give `since` together with `productId`, `tareMg` or `pieceMassMg`.',
  },
  'version-conflict': {
    status: 409,
    title: 'There is another version than you expected',
    advice: 'Read what is wanted now, and send your change with its version as `expectedVersion`.',
  },
  'configuration-at-odds': {
    status: 409,
    title: 'The configuration does not fit what is there',
    advice: 'Correct what `errors` points at; a bin must be created before it can be read.',
  },
  'too-large': {
    status: 413,
    title: 'The body is too large',
    advice: 'Send less than 64 KiB, or 256 KiB of a configuration.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of a type that is not read here',
    advice: 'Send JSON with `Content-Type: application/json`.',
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many streams of events are open',
    advice: 'Close some, or try again later.',
  },
  internal: {
    status: 500,
    title: 'Something went wrong on our side',
    advice: 'It has been logged with the id of the request; tell the operator if it stays.',
  },
  'store-damaged': {
    status: 503,
    title: 'The stored readings are damaged',
    advice: 'Stop the program and restore its data folder from a backup.',
  },
  unavailable: {
    status: 503,
    title: 'Not possible at the moment',
    advice: 'Try again in a few seconds.',
  },
};
