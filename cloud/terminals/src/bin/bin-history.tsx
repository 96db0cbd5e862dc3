import { Group, SegmentedControl, Skeleton, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { FormattedMessage, useIntl } from 'react-intl';
import type { QuantityUnit } from '#shared/units.ts';
import type { Bin } from '../../../src/http/contract.ts';
import { useMovements, useProducts, useReadings, useSetups } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { Answer } from '../notices/answer.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { ProblemNotice } from '../notices/problem-notice.tsx';
import { changeQuery } from '../routing/use-place.ts';
import { ownZone } from '../time/zone.ts';
import type { Period, Preset } from '../time/period.ts';
import classes from './bin.module.css';
import { curveOf } from './curve.ts';
import { MovementsTable } from './movements-table.tsx';
import { StockChart } from './stock-chart.tsx';

/** The bin's stock over a period and the movements that made it. */
export function BinHistory({
  bin,
  preset,
  presets,
  period,
  zone,
}: {
  readonly bin: Bin;
  readonly preset: Preset;
  readonly presets: readonly Preset[];
  readonly period: Period;
  readonly zone: string;
}) {
  const intl = useIntl();
  const readings = useReadings(bin.id, period);
  const movements = useMovements(bin.id, period);
  const unitOf = useUnits(bin);
  const setups = useSetups(bin.id);
  const curve = useMemo(
    () =>
      curveOf({
        productId: bin.productId,
        setups: setups.data?.items ?? [],
        readings: readings.data?.items ?? [],
        movements: movements.data?.items ?? [],
        from: period.from,
      }),
    [bin.productId, setups.data, readings.data, movements.data, period.from],
  );
  const failed = readings.error ?? setups.error;
  const complete = readings.data?.complete !== false && movements.data?.complete !== false;
  const answered = readings.data !== undefined || movements.data !== undefined;

  return (
    <>
      <section className={`${classes['panel']} ${classes['padded']}`}>
        <Group justify="space-between" mb="xs">
          <Title order={2} size="h4">
            <FormattedMessage id="bin.chart" />
          </Title>
          <SegmentedControl
            size="xs"
            aria-label={intl.formatMessage({ id: 'period' })}
            value={preset}
            data={presets.map((value) => ({
              value,
              label: intl.formatMessage({ id: `period.${value}` }),
            }))}
            onChange={(chosen) => changeQuery({ period: chosen })}
          />
        </Group>
        {failed !== null && (
          <ProblemNotice
            error={failed}
            onRetry={() => void Promise.all([readings.refetch(), setups.refetch()])}
          />
        )}
        {answered ? (
          <StockChart curve={curve} unit={unitOf(bin.productId)} period={period} zone={zone} />
        ) : (
          failed === null && <Skeleton height={320} />
        )}
        <Text size="xs" c="dimmed">
          <AsOf updatedAt={readings.dataUpdatedAt} />
          {zone !== ownZone() && (
            <>
              {' · '}
              <FormattedMessage id="bin.zone" values={{ zone }} />
            </>
          )}
          {curve.notGood > 0 && (
            <>
              {' · '}
              <FormattedMessage id="bin.not-good" values={{ count: curve.notGood }} />
            </>
          )}
          {!complete && (
            <>
              {' · '}
              <FormattedMessage id="bin.incomplete" />
            </>
          )}
        </Text>
      </section>
      <section>
        <Title order={2} size="h4" mb="xs">
          <FormattedMessage id="bin.movements" />
        </Title>
        <Answer of={movements}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyNotice
                title={<FormattedMessage id="bin.no-movements" />}
                advice={<FormattedMessage id="bin.no-movements.advice" />}
              />
            ) : (
              <MovementsTable movements={items} unitOf={unitOf} zone={zone} />
            )
          }
        </Answer>
      </section>
    </>
  );
}

/** Units of products; the bin's own is known also where the products cannot be had. */
function useUnits(bin: Bin): (productId: string) => QuantityUnit {
  const products = useProducts().data?.items;
  return useMemo(() => {
    const units = new Map(products?.map(({ id, unit }) => [id, unit]));
    const own = bin.pieceMassMg === null ? 'mg' : 'piece';
    return (productId) => units.get(productId) ?? own;
  }, [products, bin.pieceMassMg]);
}
