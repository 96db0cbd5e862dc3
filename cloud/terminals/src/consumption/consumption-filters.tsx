import { Group, Pill, SegmentedControl } from '@mantine/core';
import { FormattedMessage, useIntl } from 'react-intl';
import { QUANTITY_UNITS, type QuantityUnit } from '#shared/units.ts';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import { changeQuery } from '../routing/use-place.ts';
import type { ChartStep } from '../time/period.ts';
import { breakdownsOf, type Breakdown, type ConsumptionChoice } from './choice.ts';

/** How what was consumed is broken down and drawn. */
export function ViewControls({
  choice,
  step,
  unit,
  units,
}: {
  readonly choice: ConsumptionChoice;
  readonly step: ChartStep;
  readonly unit: QuantityUnit;
  /** What there is to choose from. */
  readonly units: ReadonlySet<QuantityUnit>;
}) {
  const intl = useIntl();
  const kind = useTerminalKind();
  return (
    <Group gap="sm">
      <SegmentedControl
        aria-label={intl.formatMessage({ id: 'breakdown' })}
        value={choice.by}
        data={breakdownsOf(kind).map((value) => ({
          value,
          label: intl.formatMessage({ id: `breakdown.by.${value}` }),
        }))}
        onChange={(by) => changeQuery({ by })}
      />
      <SegmentedControl
        aria-label={intl.formatMessage({ id: 'step' })}
        value={step}
        data={(['day', 'hour'] as const).map((value) => ({
          value,
          label: intl.formatMessage({ id: `step.${value}` }),
        }))}
        onChange={(chosen) => changeQuery({ step: chosen })}
      />
      {units.size > 1 && (
        <SegmentedControl
          aria-label={intl.formatMessage({ id: 'unit' })}
          value={unit}
          data={QUANTITY_UNITS.map((value) => ({
            value,
            label: intl.formatMessage({ id: `unit.choice.${value}` }),
          }))}
          onChange={(chosen) => changeQuery({ unit: chosen })}
        />
      )}
    </Group>
  );
}

/** What the view was narrowed to, and the way back out. */
export function Narrowed({
  choice,
  nameOf,
}: {
  readonly choice: ConsumptionChoice;
  readonly nameOf: (by: Breakdown, key: string) => string;
}) {
  const intl = useIntl();
  const narrowed = (['product', 'customer', 'site'] as const).flatMap((level) => {
    const key = choice[`${level}Id`];
    return key === undefined ? [] : [{ level, name: nameOf(level, key) }];
  });
  if (narrowed.length === 0) return null;
  return (
    <Group gap="xs">
      <FormattedMessage id="narrowed" />
      {narrowed.map(({ level, name }) => (
        <Pill
          key={level}
          size="md"
          withRemoveButton
          removeButtonProps={{
            'aria-label': intl.formatMessage({ id: 'narrowed.remove' }, { name }),
            'aria-hidden': false,
            tabIndex: 0,
          }}
          onRemove={() => changeQuery({ [`${level}Id`]: undefined, by: level })}
        >
          {intl.formatMessage({ id: `breakdown.${level}` })}: {name}
        </Pill>
      ))}
    </Group>
  );
}
