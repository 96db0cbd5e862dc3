import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './notices.module.css';

/** Nothing to show, why, and what to do about it. */
export function EmptyNotice({
  title,
  advice,
  children,
}: {
  readonly title: ReactNode;
  readonly advice: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <Stack className={classes['empty']} align="center" gap={4}>
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="dimmed" ta="center" maw={460}>
        {advice}
      </Text>
      {children}
    </Stack>
  );
}
