import { Button, Center, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import { FormattedMessage } from 'react-intl';
import { useLanguage } from '../language/language.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { changeQuery } from '../routing/use-place.ts';
import { filterRows, sortRows, type StockOrder, type StockRow } from './rows.ts';
import { StockCards } from './stock-cards.tsx';
import { StockFilters, useStockFilter } from './stock-filters.tsx';
import { StockTable } from './stock-table.tsx';

/** How many rows are shown before more are asked for: thousands of them slow a phone down. */
const SHOWN_AT_FIRST = 200;

/** Bins with their filters: a table where there is room, cards where there is not. */
export function StockList({ rows }: { readonly rows: readonly StockRow[] }) {
  const filter = useStockFilter();
  const { language } = useLanguage();
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const [order, setOrder] = useState<StockOrder>('place');
  const [descending, setDescending] = useState(false);
  const [most, setMost] = useState(SHOWN_AT_FIRST);

  const found = useMemo(() => {
    const { compare } = new Intl.Collator(language, { numeric: true });
    return sortRows(filterRows(rows, filter), order, descending, compare);
  }, [rows, filter, order, descending, language]);
  const shown = found.slice(0, most);
  const change = (nextOrder: StockOrder, nextDescending: boolean) => {
    setOrder(nextOrder);
    setDescending(nextDescending);
  };

  return (
    <Stack gap="sm">
      <StockFilters rows={rows} />
      <Text size="sm" c="dimmed" role="status">
        <FormattedMessage id="stock.found" values={{ found: found.length, all: rows.length }} />
      </Text>
      {found.length === 0 && (
        <EmptyNotice
          title={<FormattedMessage id="stock.none-found" />}
          advice={<FormattedMessage id="stock.none-found.advice" />}
        >
          <Button variant="default" size="xs" mt="xs" onClick={() => changeQuery(NO_FILTER)}>
            <FormattedMessage id="filter.clear" />
          </Button>
        </EmptyNotice>
      )}
      {found.length > 0 && narrow && <StockCards rows={shown} />}
      {found.length > 0 && !narrow && (
        <StockTable rows={shown} ordering={{ order, descending, change }} />
      )}
      {found.length > shown.length && (
        <Center>
          <Button variant="default" onClick={() => setMost(most + SHOWN_AT_FIRST)}>
            <FormattedMessage id="stock.more" values={{ count: found.length - shown.length }} />
          </Button>
        </Center>
      )}
    </Stack>
  );
}

const NO_FILTER = {
  customerId: undefined,
  siteId: undefined,
  productId: undefined,
  search: undefined,
  attention: undefined,
};
