import { Badge, Button, Center, Stack, Table } from '@mantine/core';
import { useState } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import type { QuantityUnit } from '#shared/units.ts';
import type { MovementView } from '../../../src/http/contract.ts';
import { useFormats } from '../figures/use-formats.ts';
import classes from './bin.module.css';

const SHOWN_AT_FIRST = 50;

const COLOURS: Record<MovementView['kind'], string> = {
  consumption: 'petrol',
  refill: 'blue',
  unexplained: 'orange',
  adjustment: 'grape',
};

/** The bin's ledger in the period, the newest first. */
export function MovementsTable({
  movements,
  unitOf,
  zone,
}: {
  /** Oldest first. */
  readonly movements: readonly MovementView[];
  readonly unitOf: (productId: string) => QuantityUnit;
  readonly zone: string;
}) {
  const intl = useIntl();
  const [most, setMost] = useState(SHOWN_AT_FIRST);
  const newest = [...movements].reverse();
  return (
    <Stack gap="sm">
      <div className={classes['panel']}>
        <Table verticalSpacing={6} aria-label={intl.formatMessage({ id: 'bin.movements' })}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">
                <FormattedMessage id="movement.at" />
              </Table.Th>
              <Table.Th scope="col" className={classes['number'] ?? ''}>
                <FormattedMessage id="movement.quantity" />
              </Table.Th>
              <Table.Th scope="col" className={classes['number'] ?? ''}>
                <FormattedMessage id="movement.closing" />
              </Table.Th>
              <Table.Th scope="col">
                <FormattedMessage id="movement.kind" />
              </Table.Th>
              <Table.Th scope="col" className={classes['number'] ?? ''}>
                <FormattedMessage id="movement.mass" />
              </Table.Th>
              <Table.Th scope="col" className={classes['number'] ?? ''}>
                <FormattedMessage id="movement.confidence" />
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {newest.slice(0, most).map((movement) => (
              <Row
                key={movement.ordinal}
                movement={movement}
                unit={unitOf(movement.productId)}
                zone={zone}
              />
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {newest.length > most && (
        <Center>
          <Button variant="default" onClick={() => setMost(most + SHOWN_AT_FIRST)}>
            <FormattedMessage id="movement.more" values={{ count: newest.length - most }} />
          </Button>
        </Center>
      )}
    </Stack>
  );
}

function Row({
  movement,
  unit,
  zone,
}: {
  readonly movement: MovementView;
  readonly unit: QuantityUnit;
  readonly zone: string;
}) {
  const formats = useFormats();
  const intl = useIntl();
  const cell = classes['number'] ?? '';
  return (
    <Table.Tr>
      <Table.Td className={classes['moment'] ?? ''}>
        <time
          dateTime={new Date(movement.at).toISOString()}
          title={formats.moment(movement.at, zone)}
        >
          {formats.shortMoment(movement.at, zone)}
        </time>
      </Table.Td>
      <Table.Td className={cell}>
        {formats.change(movement.quantity, unit)}
        {movement.low !== movement.high && (
          <div className={classes['bounds']}>
            {formats.change(movement.low, unit)} … {formats.change(movement.high, unit)}
          </div>
        )}
      </Table.Td>
      <Table.Td className={cell}>{formats.quantity(movement.closing, unit)}</Table.Td>
      <Table.Td>
        <Badge
          size="sm"
          variant="light"
          color={COLOURS[movement.kind]}
          style={{ textTransform: 'none', flexShrink: 0, minWidth: 'max-content' }}
        >
          <FormattedMessage id={`movement.${movement.kind}`} />
        </Badge>
      </Table.Td>
      <Table.Td className={cell}>{formats.change(movement.massMg, 'mg')}</Table.Td>
      <Table.Td className={cell}>
        {intl.formatNumber(movement.confidencePpm / 1e6, {
          style: 'percent',
          maximumFractionDigits: 1,
        })}
      </Table.Td>
    </Table.Tr>
  );
}
