import { Stack, Title } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import type { StockView } from '../../../src/http/contract.ts';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import { Answer } from '../notices/answer.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { ProblemNotice } from '../notices/problem-notice.tsx';
import { KeyFigures } from './key-figures.tsx';
import { StockList } from './stock-list.tsx';
import { useStockRows } from './use-stock-rows.ts';

const atCustomers = ({ customerId }: StockView): boolean => customerId !== null;

/** Stock at every customer, or at every site of one's own. */
export function OverviewPage() {
  const kind = useTerminalKind();
  const { stock, speeds, rows } = useStockRows(atCustomers);
  return (
    <Stack gap="md">
      <Title order={1} size="h2">
        <FormattedMessage id={kind === 'company' ? 'page.overview' : 'page.stock'} />
      </Title>
      <KeyFigures
        rows={stock.data === undefined ? undefined : rows}
        failed={stock.error !== null}
        updatedAt={stock.dataUpdatedAt}
      />
      {speeds.error !== null && stock.error === null && (
        <ProblemNotice error={speeds.error} onRetry={() => void speeds.refetch()} />
      )}
      <Answer of={stock}>
        {() =>
          rows.length === 0 ? (
            <EmptyNotice
              title={<FormattedMessage id="stock.none" />}
              advice={<FormattedMessage id={`stock.none.advice.${kind}`} />}
            />
          ) : (
            <StockList rows={rows} />
          )
        }
      </Answer>
    </Stack>
  );
}
