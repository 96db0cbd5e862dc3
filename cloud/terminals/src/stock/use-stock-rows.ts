import { useMemo } from 'react';
import { DAY_MS, ROLLUP_MS } from '#shared/units.ts';
import type { StockView } from '../../../src/http/contract.ts';
import { useConsumption, useCustomers, useSites, useStock } from '../api/resources.ts';
import { SPEED_DAYS } from '../figures/days-left.ts';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import { useNow } from '../time/clock.ts';
import { upToNow } from '../time/period.ts';
import { rowsOf, type StockRow } from './rows.ts';

/** Speed of each bin over the last days. */
function useSpeeds() {
  const to = upToNow(useNow(ROLLUP_MS));
  return useConsumption({
    from: to - SPEED_DAYS * DAY_MS,
    to,
    by: 'bin',
    step: 'total',
    own: 'include',
  });
}

/**
 * The stock of the bins that `wanted` wants. Names and speeds that cannot be had leave gaps in the
 * rows, not a page without rows.
 */
export function useStockRows(wanted: (stock: StockView) => boolean): {
  readonly stock: ReturnType<typeof useStock>;
  readonly speeds: ReturnType<typeof useSpeeds>;
  readonly rows: readonly StockRow[];
} {
  const stock = useStock();
  const sites = useSites();
  const company = useTerminalKind() === 'company';
  const customers = useCustomers(company);
  const speeds = useSpeeds();
  const rows = useMemo(
    () =>
      rowsOf({
        stock: (stock.data?.items ?? []).filter(wanted),
        sites: sites.data?.items ?? [],
        customers: company ? (customers.data?.items ?? []) : null,
        perDay: new Map((speeds.data?.rows ?? []).map(({ key, perDay }) => [key, perDay])),
      }),
    [stock.data, sites.data, customers.data, speeds.data, wanted, company],
  );
  return { stock, speeds, rows };
}
