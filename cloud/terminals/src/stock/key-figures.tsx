import { FormattedMessage } from 'react-intl';
import { useCustomers } from '../api/resources.ts';
import { AsOf } from '../figures/age.tsx';
import { KeyFigure } from '../figures/key-figure.tsx';
import { useFormats } from '../figures/use-formats.ts';
import { useTerminalKind } from '../frame/terminal-kind.ts';
import { formatPlace } from '../routing/place.ts';
import { ConsumedToday } from './consumed-today.tsx';
import type { StockRow } from './rows.ts';
import classes from './stock.module.css';

/** The state of everything at a glance. @param rows undefined while they are not known */
export function KeyFigures({
  rows,
  failed,
  updatedAt,
}: {
  readonly rows: readonly StockRow[] | undefined;
  /** Whether they cannot be known at present. */
  readonly failed: boolean;
  readonly updatedAt: number;
}) {
  const formats = useFormats();
  const kind = useTerminalKind();
  const attention = rows?.filter((row) => row.attention.length > 0).length;
  const sources = rows?.filter((row) => row.attention.includes('source')).length ?? 0;
  const unknown = failed ? '–' : undefined;
  const age = <AsOf updatedAt={updatedAt} />;
  return (
    <dl className={classes['figures']}>
      {kind === 'company' && <CustomersFigure />}
      <KeyFigure
        label={<FormattedMessage id="figure.bins" />}
        value={rows === undefined ? unknown : formats.count(rows.length)}
        note={
          rows !== undefined && (
            <FormattedMessage
              id="figure.bins.note"
              values={{ sites: new Set(rows.map(({ stock }) => stock.siteId)).size }}
            />
          )
        }
        age={age}
      />
      <KeyFigure
        label={
          <a className={classes['binlink']} href={formatPlace([], { attention: 'yes' })}>
            <FormattedMessage id="figure.attention" />
          </a>
        }
        value={attention === undefined ? unknown : formats.count(attention)}
        note={
          attention !== undefined && (
            <FormattedMessage
              id="figure.attention.note"
              values={{ sources, stock: attention - sources }}
            />
          )
        }
        age={age}
        alarm={(attention ?? 0) > 0}
      />
      <ConsumedToday />
    </dl>
  );
}

function CustomersFigure() {
  const formats = useFormats();
  const customers = useCustomers();
  return (
    <KeyFigure
      label={<FormattedMessage id="figure.customers" />}
      value={
        customers.data === undefined
          ? customers.error === null
            ? undefined
            : '–'
          : formats.count(customers.data.items.length)
      }
      note={customers.error !== null && <FormattedMessage id="problem.short" />}
      age={<AsOf updatedAt={customers.dataUpdatedAt} />}
    />
  );
}
