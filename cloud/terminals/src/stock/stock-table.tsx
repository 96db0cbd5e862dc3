import { Table } from '@mantine/core';
import { FormattedMessage, useIntl } from 'react-intl';
import { Age } from '../figures/age.tsx';
import type { MessageId } from '../language/en.ts';
import { formatPlace } from '../routing/place.ts';
import { DaysLeftText } from './days-left-text.tsx';
import { FillBar } from './fill-bar.tsx';
import { HealthBadge } from './health-badge.tsx';
import { LiveText } from './live-text.tsx';
import { QuantityText } from './quantity-text.tsx';
import type { StockOrder, StockRow } from './rows.ts';
import classes from './stock.module.css';

export interface Ordering {
  readonly order: StockOrder;
  readonly descending: boolean;
  readonly change: (order: StockOrder, descending: boolean) => void;
}

export function StockTable({
  rows,
  ordering,
}: {
  readonly rows: readonly StockRow[];
  readonly ordering: Ordering;
}) {
  const intl = useIntl();
  return (
    <div className={classes['panel']}>
      <Table
        className={classes['table'] ?? ''}
        verticalSpacing={7}
        aria-label={intl.formatMessage({ id: 'stock.table' })}
      >
        <Table.Thead>
          <Table.Tr>
            <Heading title="stock.bin" order="place" ordering={ordering} />
            <Heading title="stock.product" order="product" ordering={ordering} />
            <Heading title="stock.fill" order="fill" ordering={ordering} />
            <Table.Th className={classes['number'] ?? ''} scope="col">
              <FormattedMessage id="stock.quantity" />
            </Table.Th>
            <Heading title="stock.left" order="left" ordering={ordering} number />
            <Heading title="stock.age" order="age" ordering={ordering} number />
            <Table.Th scope="col">
              <FormattedMessage id="stock.health" />
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Row key={row.stock.binId} row={row} />
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function Heading({
  title,
  order,
  ordering,
  number = false,
}: {
  readonly title: MessageId;
  readonly order: StockOrder;
  readonly ordering: Ordering;
  readonly number?: boolean;
}) {
  const active = ordering.order === order;
  const direction = ordering.descending ? 'descending' : 'ascending';
  return (
    <Table.Th
      scope="col"
      aria-sort={active ? direction : 'none'}
      className={(number ? classes['number'] : undefined) ?? ''}
    >
      <button
        type="button"
        className={classes['sort']}
        onClick={() => ordering.change(order, active && !ordering.descending)}
      >
        <FormattedMessage id={title} />
        <span aria-hidden="true">{active ? (ordering.descending ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </Table.Th>
  );
}

function Row({ row }: { readonly row: StockRow }) {
  const { stock } = row;
  return (
    <Table.Tr data-stale={row.stale || undefined} data-bin={stock.binId}>
      <Table.Th scope="row" fw={400}>
        <a className={classes['binlink']} href={formatPlace(['bins', stock.binId])}>
          {stock.binName}
        </a>
        <div className={classes['where']}>
          {[row.customer, row.site].filter((name) => name !== '').join(' · ')}
        </div>
      </Table.Th>
      <Table.Td>{stock.productName}</Table.Td>
      <Table.Td>
        <FillBar row={row} />
      </Table.Td>
      <Table.Td className={`${classes['number']} ${classes['measured']}`}>
        <QuantityText stock={stock} />
        <LiveText stock={stock} />
      </Table.Td>
      <Table.Td className={`${classes['number']} ${classes['measured']}`}>
        <DaysLeftText left={row.left} />
      </Table.Td>
      <Table.Td className={classes['number'] ?? ''}>
        <Age at={stock.readAt} stale={row.stale} />
      </Table.Td>
      <Table.Td>
        <HealthBadge health={stock.health} quality={stock.quality} />
      </Table.Td>
    </Table.Tr>
  );
}
