import { Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './figures.module.css';

/** One figure with its name, what to compare it with, and its age. */
export function KeyFigure({
  label,
  value,
  note,
  age,
  alarm = false,
}: {
  readonly label: ReactNode;
  /** undefined while it is not known yet. */
  readonly value: ReactNode | undefined;
  readonly note?: ReactNode;
  readonly age: ReactNode;
  readonly alarm?: boolean;
}) {
  return (
    <div className={`${classes['figure']} ${alarm ? classes['alarm'] : ''}`}>
      <dt className={classes['label']}>{label}</dt>
      <dd className={classes['value']}>{value ?? <Skeleton height={28} width={110} my={3} />}</dd>
      {note !== undefined && <dd className={classes['note']}>{note}</dd>}
      <dd className={classes['foot']}>{age}</dd>
    </div>
  );
}
