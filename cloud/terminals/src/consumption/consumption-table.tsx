import { Table } from '@mantine/core';
import { FormattedMessage, useIntl } from 'react-intl';
import type { ConsumptionRow } from '../../../src/http/contract.ts';
import { useFormats } from '../figures/use-formats.ts';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import { formatPlace } from '../routing/place.ts';
import { usePlace } from '../routing/use-place.ts';
import { drillInto, type Breakdown } from './choice.ts';
import classes from './consumption.module.css';

/** Amount and speed of each group, the largest first, with a way further down. */
export function ConsumptionTable({
  by,
  rows,
  total,
  nameOf,
}: {
  readonly by: Breakdown;
  /** Of one unit. */
  readonly rows: readonly ConsumptionRow[];
  readonly total: ConsumptionRow | undefined;
  readonly nameOf: (by: Breakdown, key: string) => string;
}) {
  const intl = useIntl();
  const sorted = [...rows].sort((a, b) => b.consumed - a.consumed || a.key.localeCompare(b.key));
  return (
    <div className={classes['panel']}>
      <Table verticalSpacing={7} aria-label={intl.formatMessage({ id: 'consumption.table' })}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">
              <FormattedMessage id={`breakdown.${by}`} />
            </Table.Th>
            {COLUMNS.map((column) => (
              <Table.Th key={column} scope="col" className={classes['number'] ?? ''}>
                <FormattedMessage id={`consumption.${column}`} />
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sorted.map((row) => (
            <Table.Tr key={row.key} data-key={row.key}>
              <Table.Th scope="row" fw={400}>
                <Deeper by={by} row={row} name={nameOf(by, row.key)} />
              </Table.Th>
              <Amounts row={row} />
            </Table.Tr>
          ))}
        </Table.Tbody>
        {total !== undefined && sorted.length > 1 && (
          <Table.Tfoot>
            <Table.Tr data-key="total">
              <Table.Th scope="row">
                <FormattedMessage id="consumption.total" />
              </Table.Th>
              <Amounts row={total} />
            </Table.Tr>
          </Table.Tfoot>
        )}
      </Table>
    </div>
  );
}

const COLUMNS = ['amount', 'per-day', 'refilled', 'unexplained', 'adjusted'] as const;

function Amounts({ row }: { readonly row: ConsumptionRow }) {
  const formats = useFormats();
  const apart = row.consumedLow !== row.consumedHigh;
  const cell = classes['number'] ?? '';
  return (
    <>
      <Table.Td className={cell}>
        {formats.quantity(row.consumed, row.unit)}
        {apart && (
          <div className={classes['bounds']}>
            <FormattedMessage
              id="consumption.bounds"
              values={{
                low: formats.quantity(row.consumedLow, row.unit),
                high: formats.quantity(row.consumedHigh, row.unit),
              }}
            />
          </div>
        )}
      </Table.Td>
      <Table.Td className={cell}>
        {row.perDay === null ? (
          <span className={classes['bounds']}>
            <FormattedMessage id="consumption.unseen" />
          </span>
        ) : (
          formats.quantity(row.perDay, row.unit)
        )}
      </Table.Td>
      <Table.Td className={cell}>{formats.quantity(row.refilled, row.unit)}</Table.Td>
      <Table.Td className={cell}>{formats.change(row.unexplained, row.unit)}</Table.Td>
      <Table.Td className={cell}>{formats.change(row.adjusted, row.unit)}</Table.Td>
    </>
  );
}

function Deeper({
  by,
  row,
  name,
}: {
  readonly by: Breakdown;
  readonly row: ConsumptionRow;
  readonly name: string;
}) {
  const kind = useTerminalKind();
  const { path, query } = usePlace();
  const change = drillInto(by, row.key, kind);
  const place =
    change === null
      ? formatPlace(['bins', row.key])
      : formatPlace(path, { ...query, ...change, unit: row.unit });
  return (
    <a className={classes['deeper']} href={place}>
      {name}
    </a>
  );
}
