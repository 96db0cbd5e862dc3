import { Skeleton, Stack } from '@mantine/core';
import { useIntl } from 'react-intl';

const WIDTHS = ['100%', '96%', '98%', '92%', '97%', '94%', '99%', '95%'];

/** Stands where rows will be. */
export function LoadingRows({ rows = 6, height = 34 }: { rows?: number; height?: number }) {
  const intl = useIntl();
  return (
    <Stack gap="xs" role="status" aria-label={intl.formatMessage({ id: 'loading' })}>
      {WIDTHS.slice(0, rows).map((width) => (
        <Skeleton key={width} height={height} width={width} radius="sm" />
      ))}
    </Stack>
  );
}
