import { FormattedMessage } from 'react-intl';
import type { StockView } from '../../../src/http/contract.ts';
import { Age } from '../figures/age.tsx';
import { useFormats } from '../figures/use-formats.ts';
import classes from './stock.module.css';

/** What the scale shows now while a backlog is still being counted; plainly not the stock itself. */
export function LiveText({ stock }: { readonly stock: StockView }) {
  const formats = useFormats();
  const { live, unit } = stock;
  if (live === null) return null;
  return (
    <div className={classes['live']} data-live={stock.binId}>
      {live.quantity === null ? (
        <FormattedMessage id="stock.live.unknown" values={{ age: <Age at={live.readAt} /> }} />
      ) : (
        <FormattedMessage
          id="stock.live"
          values={{
            quantity: formats.quantity(live.quantity, unit),
            age: <Age at={live.readAt} />,
          }}
        />
      )}
    </div>
  );
}
