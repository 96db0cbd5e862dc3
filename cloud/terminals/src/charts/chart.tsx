import { useComputedColorScheme } from '@mantine/core';
import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent,
  DataZoomInsideComponent,
  GridComponent,
  LegendScrollComponent,
  TooltipComponent,
} from 'echarts/components';
import { init, registerTheme, use as install, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { EChartsOption } from 'echarts/types/dist/shared';
import { useEffect, useRef } from 'react';
import { useLanguage, type Language } from '../language/language.tsx';
import { chartTheme, type Scheme } from './palette.ts';

install([
  BarChart,
  LineChart,
  ScatterChart,
  AriaComponent,
  DataZoomInsideComponent,
  GridComponent,
  LegendScrollComponent,
  TooltipComponent,
  CanvasRenderer,
]);
registerTheme('light', chartTheme('light'));
registerTheme('dark', chartTheme('dark'));

interface Drawn {
  readonly option: EChartsOption;
  readonly height: number;
  readonly label: string;
}

/** A chart with a description for those who hear it. The module is large: import it lazily. */
export function Chart(drawn: Drawn) {
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const { language } = useLanguage();
  // ECharts takes its theme and its locale only when it is begun.
  return <Drawing key={`${scheme} ${language}`} {...drawn} scheme={scheme} language={language} />;
}

function Drawing({
  option,
  height,
  label,
  scheme,
  language,
}: Drawn & { readonly scheme: Scheme; readonly language: Language }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);

  useEffect(() => {
    if (place.current === null) return undefined;
    const drawing = init(place.current, scheme, { locale: language === 'zh-CN' ? 'ZH' : 'EN' });
    chart.current = drawing;
    const observer = new ResizeObserver(() => drawing.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      drawing.dispose();
    };
  }, [scheme, language]);

  useEffect(() => {
    const aria = { enabled: true, label: { general: { withoutTitle: `${label}. ` } } };
    chart.current?.setOption({ ...option, aria, animation: false }, true);
  }, [option, label]);

  return <div ref={place} role="img" aria-label={label} style={{ width: '100%', height }} />;
}
