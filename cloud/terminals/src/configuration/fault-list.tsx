import { FormattedMessage } from 'react-intl';
import classes from './configuration.module.css';
import type { TextFault } from './sections-text.ts';

/** What is wrong, by key and by line of the text. */
export function FaultList({ faults }: { readonly faults: readonly TextFault[] }) {
  return (
    <ul className={classes['faults']}>
      {faults.map(({ line, key, detail }) => (
        <li key={`${line} ${key} ${detail}`}>
          {line !== null && (
            <span className={classes['line']}>
              <FormattedMessage id="configuration.fault.line" values={{ line }} />
            </span>
          )}
          {key === '' ? (
            detail
          ) : (
            <FormattedMessage
              id="configuration.fault"
              values={{ key: <code>{key}</code>, detail }}
            />
          )}
        </li>
      ))}
    </ul>
  );
}
