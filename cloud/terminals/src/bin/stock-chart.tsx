import type { EChartsOption } from 'echarts/types/dist/shared';
import { useMemo } from 'react';
import { useIntl, type IntlShape } from 'react-intl';
import type { QuantityUnit } from '#shared/units.ts';
import { LazyChart } from '../charts/lazy-chart.tsx';
import { axisValue, formatQuantity } from '../figures/quantity.ts';
import type { Period } from '../time/period.ts';
import { thinned, type Point, type StockCurve } from './curve.ts';

/** More points than a screen has columns show nothing more. */
const MOST_POINTS = 2_000;

/** Stock over time: as weighed, as counted, and refills. */
export function StockChart({
  curve,
  unit,
  period,
  zone,
}: {
  readonly curve: StockCurve;
  readonly unit: QuantityUnit;
  readonly period: Period;
  readonly zone: string;
}) {
  const intl = useIntl();
  const option = useMemo(
    () => optionOf(curve, unit, period, zone, intl),
    [curve, unit, period, zone, intl],
  );
  return <LazyChart option={option} height={320} label={intl.formatMessage({ id: 'bin.chart' })} />;
}

function optionOf(
  curve: StockCurve,
  unit: QuantityUnit,
  { from, to }: Period,
  zone: string,
  intl: IntlShape,
): EChartsOption {
  const shown = (points: readonly Point[]) =>
    thinned(points, MOST_POINTS).map(([at, quantity]): [number, number | null] => [
      at,
      quantity === null ? null : axisValue(quantity, unit),
    ]);
  const told = (value: unknown) =>
    typeof value === 'number'
      ? formatQuantity(intl, unit === 'mg' ? value * 1e6 : value, unit)
      : '–';
  const tooltip = { valueFormatter: told };
  const short = { timeZone: zone, hour: '2-digit', minute: '2-digit' } as const;
  const dated = { ...short, month: 'short', day: 'numeric' } as const;
  // ECharts places its ticks by the browser's zone; what is written there is the site's.
  const withDates = to - from > 26 * 3_600_000;
  return {
    grid: { left: 8, right: 16, top: 56, bottom: 8, containLabel: true },
    legend: { type: 'scroll', top: 0 },
    tooltip: { trigger: 'axis', confine: true },
    dataZoom: [{ type: 'inside', zoomOnMouseWheel: 'ctrl', moveOnMouseMove: false }],
    xAxis: {
      type: 'time',
      min: from,
      max: to,
      splitNumber: 5,
      axisLabel: {
        hideOverlap: true,
        formatter: (at: number) => intl.formatDate(at, withDates ? dated : short),
      },
      axisPointer: {
        label: { formatter: ({ value }) => intl.formatDate(Number(value), dated) },
      },
    },
    yAxis: {
      type: 'value',
      min: 0,
      name: intl.formatMessage({ id: `unit.${unit}` }),
      nameTextStyle: { align: 'left' },
      axisLabel: {
        formatter: (value: number) => intl.formatNumber(value, { notation: 'compact' }),
      },
    },
    series: [
      {
        type: 'line',
        name: intl.formatMessage({ id: 'bin.counted' }),
        step: 'end',
        symbol: 'none',
        lineStyle: { width: 2 },
        areaStyle: { opacity: 0.08 },
        data: shown(curve.counted),
        tooltip,
      },
      {
        type: 'line',
        name: intl.formatMessage({ id: 'bin.weighed' }),
        symbol: 'none',
        lineStyle: { width: 1, opacity: 0.8 },
        data: shown(curve.weighed),
        tooltip,
      },
      {
        type: 'scatter',
        name: intl.formatMessage({ id: 'bin.refilled' }),
        symbol: 'triangle',
        symbolSize: 11,
        data: shown(curve.refills),
        tooltip,
      },
    ],
  };
}
