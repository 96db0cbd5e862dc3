import { Alert } from '@mantine/core';
import { FormattedMessage, useIntl } from 'react-intl';
import { formatPlace } from '../routing/place.ts';
import classes from './consumption.module.css';

const MOST_NAMED = 8;

/** Which bins the figures above may lack something of. */
export function StaleNotice({
  bins,
  nameOf,
}: {
  readonly bins: readonly string[];
  readonly nameOf: (by: 'bin', key: string) => string;
}) {
  const intl = useIntl();
  if (bins.length === 0) return null;
  return (
    <Alert
      color="orange"
      variant="light"
      title={intl.formatMessage({ id: 'stale.title' }, { count: bins.length })}
    >
      <FormattedMessage id="stale.advice" />{' '}
      {bins.slice(0, MOST_NAMED).map((bin, index) => (
        <span key={bin}>
          {index > 0 && ', '}
          <a className={classes['deeper']} href={formatPlace(['bins', bin])}>
            {nameOf('bin', bin)}
          </a>
        </span>
      ))}
      {bins.length > MOST_NAMED && (
        <FormattedMessage id="stale.more" values={{ count: bins.length - MOST_NAMED }} />
      )}
    </Alert>
  );
}
