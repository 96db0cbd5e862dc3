import type { UseQueryResult } from '@tanstack/react-query';
import { FormattedMessage } from 'react-intl';
import { MINUTE_MS, QUANTITY_UNITS, type QuantityUnit } from '#shared/units.ts';
import type { Consumption } from '../../../src/http/contract.ts';
import { useConsumption } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { KeyFigure } from '../figures/key-figure.tsx';
import { useFormats } from '../figures/use-formats.ts';
import { useNow } from '../time/clock.ts';
import { todayAndWeekBefore } from '../time/period.ts';
import { ownZone } from '../time/zone.ts';

const consumedOf = (answer: Consumption | undefined, unit: QuantityUnit): number | undefined =>
  answer?.rows.find((row) => row.unit === unit)?.consumed;

/** Consumed since midnight, next to the same stretch of the same weekday a week ago. */
export function ConsumedToday() {
  const { today, weekBefore } = todayAndWeekBefore(useNow(MINUTE_MS), ownZone());
  const asked = { by: 'total', step: 'total' } as const;
  const now = useConsumption({ ...asked, ...today });
  const before = useConsumption({ ...asked, ...weekBefore });
  const units = QUANTITY_UNITS.filter(
    (unit) =>
      consumedOf(now.data, unit) !== undefined || consumedOf(before.data, unit) !== undefined,
  );
  if (units.length > 0) {
    return units.map((unit) => (
      <TodayFigure key={unit} unit={unit} now={now} before={before} until={weekBefore.to} />
    ));
  }
  const failed = now.error !== null;
  return (
    <KeyFigure
      label={<FormattedMessage id="today.label" />}
      value={now.data === undefined && !failed ? undefined : '–'}
      note={
        now.data === undefined ? (
          failed && <FormattedMessage id="problem.short" />
        ) : (
          <FormattedMessage id="today.nothing" />
        )
      }
      age={<AsOf updatedAt={now.dataUpdatedAt} />}
    />
  );
}

function TodayFigure({
  unit,
  now,
  before,
  until,
}: {
  readonly unit: QuantityUnit;
  readonly now: UseQueryResult<Consumption>;
  readonly before: UseQueryResult<Consumption>;
  readonly until: number;
}) {
  const formats = useFormats();
  const consumed = consumedOf(now.data, unit) ?? 0;
  const then = consumedOf(before.data, unit);
  return (
    <KeyFigure
      label={<FormattedMessage id={`today.label.${unit}`} />}
      value={now.data === undefined ? undefined : formats.quantity(consumed, unit)}
      note={
        then === undefined || then === 0 ? (
          <FormattedMessage id="today.no-comparison" />
        ) : (
          <FormattedMessage
            id="today.comparison"
            values={{
              change: consumed / then - 1,
              before: formats.quantity(then, unit),
              until: new Date(until),
            }}
          />
        )
      }
      age={<AsOf updatedAt={now.dataUpdatedAt} staleBins={now.data?.stale.length ?? 0} />}
    />
  );
}
