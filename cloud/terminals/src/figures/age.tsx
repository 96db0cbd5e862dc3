import { Text } from '@mantine/core';
import { FormattedMessage } from 'react-intl';
import { MINUTE_MS } from '#shared/units.ts';
import { toServerTime, useNow } from '../time/clock.ts';
import classes from './figures.module.css';
import { useFormats } from './use-formats.ts';

/** A figure that is read anew every minute is stale when two were missed. */
const STALE_ANSWER_MS = 2.5 * MINUTE_MS;

/** How long ago something was measured, ticking. */
export function Age({
  at,
  stale = false,
}: {
  /** Server time; null where it never was. */
  readonly at: number | null;
  readonly stale?: boolean;
}) {
  const now = useNow();
  const formats = useFormats();
  if (at === null) {
    return (
      <span className={classes['stale']}>
        <FormattedMessage id="age.never" />
      </span>
    );
  }
  return (
    <time
      className={stale ? classes['stale'] : classes['age']}
      dateTime={new Date(at).toISOString()}
      title={formats.moment(at)}
    >
      {formats.age(now - at)}
    </time>
  );
}

/** `as of 5s ago`: the age of a figure the cloud computed. */
export function AsOf({
  updatedAt,
  staleBins = 0,
}: {
  /** When the answer came, on this device's clock; 0 before the first. */
  readonly updatedAt: number;
  /** How many of the bins behind the figure are not up to date. */
  readonly staleBins?: number;
}) {
  const now = useNow();
  if (updatedAt === 0) return null;
  const at = toServerTime(updatedAt);
  const stale = now - at > STALE_ANSWER_MS;
  return (
    <Text component="span" size="xs" c="dimmed">
      <FormattedMessage id="age.as-of" values={{ age: <Age at={at} stale={stale} /> }} />
      {staleBins > 0 && (
        <span className={classes['doubt']}>
          {' · '}
          <FormattedMessage id="age.stale-bins" values={{ count: staleBins }} />
        </span>
      )}
    </Text>
  );
}
