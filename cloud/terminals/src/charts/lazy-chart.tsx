import { Skeleton } from '@mantine/core';
import { lazy, Suspense, type ComponentProps } from 'react';
import type { Chart } from './chart.tsx';

const Drawn = lazy(async () => {
  const { Chart } = await import('./chart.tsx');
  return { default: Chart };
});

/** A chart that is loaded when it is first wanted, in room kept for it. */
export function LazyChart(props: ComponentProps<typeof Chart>) {
  return (
    <Suspense fallback={<Skeleton height={props.height} />}>
      <Drawn {...props} />
    </Suspense>
  );
}
