import type { EChartsOption } from 'echarts/types/dist/shared';
import { useMemo } from 'react';
import { useIntl, type IntlShape } from 'react-intl';
import type { QuantityUnit } from '#shared/units.ts';
import type { ConsumptionRow } from '../../../src/http/contract.ts';
import { LazyChart } from '../charts/lazy-chart.tsx';
import { axisValue, formatQuantity } from '../figures/quantity.ts';
import { stepsOf, type ChartStep, type Period } from '../time/period.ts';
import type { Breakdown } from './choice.ts';
import { speedsOf, stackOf } from './stack.ts';

interface Drawn {
  readonly period: Period;
  readonly step: ChartStep;
  readonly zone: string;
  readonly unit: QuantityUnit;
  readonly by: Breakdown;
  /** By group and step, and of all groups by step. */
  readonly rows: readonly ConsumptionRow[];
  readonly totals: readonly ConsumptionRow[];
  readonly nameOf: (by: Breakdown, key: string) => string;
}

/** Amounts as stacked bars, speed as a line. */
export function ConsumptionChart(drawn: Drawn) {
  const intl = useIntl();
  const { period, step, zone, unit, by, rows, totals, nameOf } = drawn;
  const option = useMemo(
    () => optionOf({ period, step, zone, unit, by, rows, totals, nameOf }, intl),
    [period, step, zone, unit, by, rows, totals, nameOf, intl],
  );
  return (
    <LazyChart
      option={option}
      height={320}
      label={intl.formatMessage({ id: `consumption.chart.${step}` })}
    />
  );
}

function stepLabel(intl: IntlShape, at: number, step: ChartStep, zone: string): string {
  const day = { month: 'short', day: 'numeric', timeZone: zone } as const;
  return step === 'day'
    ? intl.formatDate(at, { ...day, weekday: 'short' })
    : intl.formatDate(at, { ...day, hour: '2-digit', minute: '2-digit' });
}

function optionOf(drawn: Drawn, intl: IntlShape): EChartsOption {
  const { period, step, zone, unit, by, rows, totals, nameOf } = drawn;
  const steps = stepsOf(period, step, zone);
  const value = (quantity: number) => axisValue(quantity, unit);
  /** ECharts hands values back as they were drawn: kg for bulk. */
  const told = (shown: unknown) =>
    typeof shown === 'number'
      ? formatQuantity(intl, unit === 'mg' ? shown * 1e6 : shown, unit)
      : '–';
  const axis = {
    type: 'value' as const,
    min: 0,
    axisLabel: { formatter: (shown: number) => intl.formatNumber(shown, { notation: 'compact' }) },
  };
  const unitName = intl.formatMessage({ id: `unit.${unit}` });
  return {
    grid: { left: 8, right: 8, top: 56, bottom: 8, containLabel: true },
    legend: { type: 'scroll', top: 0 },
    tooltip: { trigger: 'axis', confine: true, axisPointer: { type: 'shadow' } },
    xAxis: {
      type: 'category',
      data: steps.map((at) => stepLabel(intl, at, step, zone)),
      axisLabel: { hideOverlap: true },
    },
    yAxis: [
      { ...axis, name: unitName, nameTextStyle: { align: 'left' } },
      {
        ...axis,
        name: intl.formatMessage({ id: 'consumption.per-day.axis' }, { unit: unitName }),
        nameTextStyle: { align: 'right' },
        splitLine: { show: false },
      },
    ],
    series: [
      ...stackOf(rows, unit, steps).map(({ key, amounts }) => ({
        type: 'bar' as const,
        name: key === null ? intl.formatMessage({ id: 'consumption.others' }) : nameOf(by, key),
        stack: 'consumed',
        barMaxWidth: 48,
        data: amounts.map(value),
        tooltip: { valueFormatter: told },
      })),
      {
        type: 'line' as const,
        name: intl.formatMessage({ id: 'consumption.speed' }),
        yAxisIndex: 1,
        symbolSize: 5,
        lineStyle: { width: 2, type: 'dashed' as const },
        // Stands out from the bars on light and dark ground.
        color: '#7d868c',
        showAllSymbol: true,
        data: speedsOf(totals, unit, steps).map((speed) => (speed === null ? null : value(speed))),
        tooltip: { valueFormatter: told },
      },
    ],
  };
}
