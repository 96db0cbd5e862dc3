import { Stack, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { FormattedMessage } from 'react-intl';
import { ROLLUP_MS, type QuantityUnit } from '#shared/units.ts';
import type { Consumption } from '../../../src/http/contract.ts';
import { useConsumption, useSites } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { useFormats } from '../figures/use-formats.ts';
import { Answer } from '../notices/answer.tsx';
import { EmptyNotice } from '../notices/empty-notice.tsx';
import { ProblemNotice } from '../notices/problem-notice.tsx';
import { usePlace } from '../routing/use-place.ts';
import { useNow } from '../time/clock.ts';
import { periodOf } from '../time/period.ts';
import { dateOf, ownZone } from '../time/zone.ts';
import { choiceOf, filterOf, stepFor, type ConsumptionChoice } from './choice.ts';
import { Breakdowns } from './breakdowns.tsx';
import { Narrowed, ViewControls } from './consumption-filters.tsx';
import { PeriodPicker } from './period-picker.tsx';
import { StaleNotice } from './stale-notice.tsx';
import { useNames } from './use-names.ts';

/** What was consumed in a period, how fast, by whom. */
export function ConsumptionPage() {
  const place = usePlace();
  const choice = useMemo(() => choiceOf(place), [place]);
  const zone = useZone(choice);
  const now = useNow(ROLLUP_MS);
  const period = useMemo(() => periodOf(choice.period, now, zone), [choice, now, zone]);
  const step = stepFor(choice, period);
  const nameOf = useNames();
  const formats = useFormats();
  const asked = { ...period, ...filterOf(choice), timeZone: zone };
  const sums = useConsumption({ ...asked, by: choice.by, step: 'total' });
  const total = useConsumption({ ...asked, by: 'total', step: 'total' });
  const units = unitsOf(sums.data);
  const unit = chosenUnit(choice, units);

  return (
    <Stack gap="md">
      <div>
        <Title order={1} size="h2">
          <FormattedMessage id="page.consumption" />
        </Title>
        <Text size="sm" c="dimmed">
          {formats.moment(period.from, zone)} – {formats.moment(period.to, zone)} ({zone}) ·{' '}
          <AsOf updatedAt={sums.dataUpdatedAt} staleBins={sums.data?.stale.length ?? 0} />
        </Text>
      </div>
      <PeriodPicker choice={choice.period} today={dateOf(now, zone)} />
      <ViewControls choice={choice} step={step} unit={unit} units={units} />
      <Narrowed choice={choice} nameOf={nameOf} />
      {total.error !== null && sums.error === null && (
        <ProblemNotice error={total.error} onRetry={() => void total.refetch()} />
      )}
      <Answer of={sums}>
        {(data) => (
          <>
            <StaleNotice bins={data.stale} nameOf={nameOf} />
            {units.size === 0 ? (
              <EmptyNotice
                title={<FormattedMessage id="consumption.none" />}
                advice={<FormattedMessage id="consumption.none.advice" />}
              />
            ) : (
              <Breakdowns
                by={choice.by}
                unit={unit}
                asked={asked}
                period={period}
                step={step}
                zone={zone}
                rows={data.rows.filter((row) => row.unit === unit)}
                total={total.data?.rows.find((row) => row.unit === unit)}
                nameOf={nameOf}
              />
            )}
          </>
        )}
      </Answer>
    </Stack>
  );
}

/** A site's days are its own; across sites they are the person's. */
function useZone({ siteId }: ConsumptionChoice): string {
  const sites = useSites();
  return sites.data?.items.find(({ id }) => id === siteId)?.timeZone ?? ownZone();
}

const unitsOf = (data: Consumption | undefined): ReadonlySet<QuantityUnit> =>
  new Set(data?.rows.map(({ unit }) => unit));

/** The one chosen where there is any of it, else the one there is. */
function chosenUnit({ unit }: ConsumptionChoice, units: ReadonlySet<QuantityUnit>): QuantityUnit {
  const wanted = unit ?? 'piece';
  if (units.has(wanted)) return wanted;
  const [only] = units;
  return only ?? wanted;
}
