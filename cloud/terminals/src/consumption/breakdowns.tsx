import { Skeleton } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import type { QuantityUnit } from '#shared/units.ts';
import type { ConsumptionQuery, ConsumptionRow } from '../../../src/http/contract.ts';
import { useConsumption } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { KeyFigure } from '../figures/key-figure.tsx';
import { useFormats } from '../figures/use-formats.ts';
import { ProblemNotice } from '../notices/problem-notice.tsx';
import type { ChartStep, Period } from '../time/period.ts';
import type { Breakdown } from './choice.ts';
import { ConsumptionChart } from './consumption-chart.tsx';
import { ConsumptionTable } from './consumption-table.tsx';
import classes from './consumption.module.css';

interface Shown {
  readonly by: Breakdown;
  readonly unit: QuantityUnit;
  /** Period and filters of the question. */
  readonly asked: Partial<ConsumptionQuery>;
  readonly period: Period;
  readonly step: ChartStep;
  readonly zone: string;
  /** Sums of the period in `unit`, by group and of all. */
  readonly rows: readonly ConsumptionRow[];
  readonly total: ConsumptionRow | undefined;
  readonly nameOf: (by: Breakdown, key: string) => string;
}

/** The period's figures, their course over time and each group's share. */
export function Breakdowns(shown: Shown) {
  const { asked, by, step, total, rows, nameOf } = shown;
  const stepped = useConsumption({ ...asked, by, step });
  const totals = useConsumption({ ...asked, by: 'total', step });
  const failed = stepped.error ?? totals.error;
  return (
    <>
      <Totals total={total} updatedAt={stepped.dataUpdatedAt} />
      <div className={`${classes['panel']} ${classes['chart']}`}>
        {failed !== null && (
          <ProblemNotice
            error={failed}
            onRetry={() => void Promise.all([stepped.refetch(), totals.refetch()])}
          />
        )}
        {stepped.data === undefined || totals.data === undefined ? (
          failed === null && <Skeleton height={320} />
        ) : (
          <ConsumptionChart
            period={shown.period}
            step={step}
            zone={shown.zone}
            unit={shown.unit}
            by={by}
            rows={stepped.data.rows}
            totals={totals.data.rows}
            nameOf={nameOf}
          />
        )}
      </div>
      <ConsumptionTable by={by} rows={rows} total={total} nameOf={nameOf} />
    </>
  );
}

function Totals({
  total,
  updatedAt,
}: {
  readonly total: ConsumptionRow | undefined;
  readonly updatedAt: number;
}) {
  const formats = useFormats();
  const age = <AsOf updatedAt={updatedAt} />;
  return (
    <dl className={classes['figures']}>
      <KeyFigure
        label={<FormattedMessage id="consumption.amount" />}
        value={total && formats.quantity(total.consumed, total.unit)}
        age={age}
      />
      <KeyFigure
        label={<FormattedMessage id="consumption.speed" />}
        value={
          total &&
          (total.perDay === null ? (
            '–'
          ) : (
            <FormattedMessage
              id="consumption.speed.value"
              values={{ amount: formats.quantity(total.perDay, total.unit) }}
            />
          ))
        }
        note={<FormattedMessage id="consumption.speed.note" />}
        age={age}
      />
      <KeyFigure
        label={<FormattedMessage id="consumption.refilled" />}
        value={total && formats.quantity(total.refilled, total.unit)}
        age={age}
      />
    </dl>
  );
}
