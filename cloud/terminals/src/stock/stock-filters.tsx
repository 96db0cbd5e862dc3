import { Select, Switch, TextInput } from '@mantine/core';
import { useIntl } from 'react-intl';
import { changeQuery, usePlace } from '../routing/use-place.ts';
import type { StockFilter, StockRow } from './rows.ts';
import classes from './stock.module.css';

/** The filter as the place says it. */
export function useStockFilter(): StockFilter {
  const { query } = usePlace();
  return {
    customerId: query['customerId'],
    siteId: query['siteId'],
    productId: query['productId'],
    search: query['search'],
    attention: query['attention'] === 'yes',
  };
}

interface Option {
  readonly value: string;
  readonly label: string;
}

/** One option a distinct id, by name. */
function optionsOf(
  rows: readonly StockRow[],
  option: (row: StockRow) => { value: string | null; label: string },
): Option[] {
  const labels = new Map<string, string>();
  for (const row of rows) {
    const { value, label } = option(row);
    if (value !== null) labels.set(value, label);
  }
  return [...labels]
    .map(([value, label]) => ({ value, label }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

export function StockFilters({ rows }: { readonly rows: readonly StockRow[] }) {
  const intl = useIntl();
  const filter = useStockFilter();
  const customers = optionsOf(rows, ({ stock, customer }) => ({
    value: stock.customerId,
    label: customer,
  }));
  const ofCustomer = rows.filter(
    ({ stock }) => filter.customerId === undefined || stock.customerId === filter.customerId,
  );
  const sites = optionsOf(ofCustomer, ({ stock, site }) => ({ value: stock.siteId, label: site }));
  const products = optionsOf(rows, ({ stock }) => ({
    value: stock.productId,
    label: stock.productName,
  }));
  return (
    <search className={classes['filters']}>
      <TextInput
        type="search"
        label={intl.formatMessage({ id: 'filter.search' })}
        placeholder={intl.formatMessage({ id: 'filter.search.placeholder' })}
        value={filter.search ?? ''}
        onChange={(event) => changeQuery({ search: event.currentTarget.value })}
      />
      {customers.length > 1 && (
        <Choice
          label={intl.formatMessage({ id: 'filter.customer' })}
          options={customers}
          value={filter.customerId}
          onChange={(customerId) => changeQuery({ customerId, siteId: undefined })}
        />
      )}
      {sites.length > 1 && (
        <Choice
          label={intl.formatMessage({ id: 'filter.site' })}
          options={sites}
          value={filter.siteId}
          onChange={(siteId) => changeQuery({ siteId })}
        />
      )}
      <Choice
        label={intl.formatMessage({ id: 'filter.product' })}
        options={products}
        value={filter.productId}
        onChange={(productId) => changeQuery({ productId })}
      />
      <Switch
        mb={8}
        label={intl.formatMessage({ id: 'filter.attention' })}
        checked={filter.attention === true}
        onChange={(event) =>
          changeQuery({ attention: event.currentTarget.checked ? 'yes' : undefined })
        }
      />
    </search>
  );
}

function Choice({
  label,
  options,
  value,
  onChange,
}: {
  readonly label: string;
  readonly options: Option[];
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}) {
  const intl = useIntl();
  return (
    <Select
      label={label}
      placeholder={intl.formatMessage({ id: 'filter.all' })}
      data={options}
      value={value ?? null}
      clearable
      searchable
      nothingFoundMessage={intl.formatMessage({ id: 'filter.nothing' })}
      onChange={(chosen) => onChange(chosen ?? undefined)}
    />
  );
}
