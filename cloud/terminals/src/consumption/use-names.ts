import { useMemo } from 'react';
import { useCustomers, useProducts, useSites, useStock } from '../api/resources.ts';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import type { Breakdown } from './choice.ts';

/** The name of what a row of a breakdown is about; its id where there is none. */
export function useNames(): (by: Breakdown, key: string) => string {
  const customers = useCustomers(useTerminalKind() === 'company').data?.items;
  const sites = useSites().data?.items;
  const products = useProducts().data?.items;
  const stock = useStock().data?.items;
  return useMemo(() => {
    const named = (items: readonly { id: string; name: string }[] | undefined) =>
      new Map(items?.map(({ id, name }) => [id, name]));
    const names: Record<Breakdown, ReadonlyMap<string, string>> = {
      customer: named(customers),
      site: named(sites),
      product: named(products),
      bin: new Map(stock?.map(({ binId, binName }) => [binId, binName])),
    };
    return (by, key) => names[by].get(key) ?? key;
  }, [customers, sites, products, stock]);
}
