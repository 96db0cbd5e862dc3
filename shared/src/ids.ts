declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type AgentId = Branded<'AgentId'>;
export type BinId = Branded<'BinId'>;
export type CustomerId = Branded<'CustomerId'>;
export type Epoch = Branded<'Epoch'>;
export type ProductId = Branded<'ProductId'>;
export type SiteId = Branded<'SiteId'>;

/**
 * What an id may look like: it stands in MQTT topics, URLs and file names, so no `/ + # $` and no
 * leading dot.
 */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function checked<Name extends string>(kind: Name, text: string): Branded<Name> {
  if (!ID_PATTERN.test(text)) {
    throw new TypeError(`${JSON.stringify(text)} is not a ${kind}: expected ${ID_PATTERN.source}`);
  }
  return text as Branded<Name>;
}

/** @throws TypeError unless `text` matches {@link ID_PATTERN}; so do its siblings below */
export const agentId = (text: string): AgentId => checked('AgentId', text);
export const binId = (text: string): BinId => checked('BinId', text);
export const customerId = (text: string): CustomerId => checked('CustomerId', text);
export const epoch = (text: string): Epoch => checked('Epoch', text);
export const productId = (text: string): ProductId => checked('ProductId', text);
export const siteId = (text: string): SiteId => checked('SiteId', text);
