import { Stack, Text, Title } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import type { StockView } from '../../../src/http/contract.ts';
import { AsOf } from '../figures/age.tsx';
import { Answer } from '../notices/answer.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { StockList } from './stock-list.tsx';
import { useStockRows } from './use-stock-rows.ts';

const ownSites = ({ customerId }: StockView): boolean => customerId === null;

/** The supplier's own warehouse: what can be delivered. */
export function OwnStockPage() {
  const { stock, rows } = useStockRows(ownSites);
  return (
    <Stack gap="md">
      <div>
        <Title order={1} size="h2">
          <FormattedMessage id="page.own-stock" />
        </Title>
        <Text c="dimmed" size="sm">
          <FormattedMessage id="own-stock.about" /> <AsOf updatedAt={stock.dataUpdatedAt} />
        </Text>
      </div>
      <Answer of={stock}>
        {() =>
          rows.length === 0 ? (
            <EmptyNotice
              title={<FormattedMessage id="own-stock.none" />}
              advice={<FormattedMessage id="own-stock.none.advice" />}
            />
          ) : (
            <StockList rows={rows} />
          )
        }
      </Answer>
    </Stack>
  );
}
