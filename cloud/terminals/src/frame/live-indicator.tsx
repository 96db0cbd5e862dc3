import { FormattedMessage } from 'react-intl';
import { useLiveState } from '../api/live-events.tsx';
import classes from './frame.module.css';

/** Whether what is shown follows what happens. */
export function LiveIndicator() {
  const state = useLiveState();
  return (
    <span className={classes['live']} data-state={state} role="status">
      <span className={classes['lamp']} aria-hidden="true" />
      <FormattedMessage id={`live.${state}`} />
    </span>
  );
}
