import { FormattedMessage } from 'react-intl';
import type { StockView } from '../../../src/http/contract.ts';
import { useFormats } from '../figures/use-formats.ts';
import classes from './stock.module.css';

/** What is in a bin; nothing measured is not nothing in it. */
export function QuantityText({ stock }: { readonly stock: StockView }) {
  const formats = useFormats();
  if (stock.quantity === null) {
    return (
      <span className={classes['unknown']}>
        <FormattedMessage id="stock.quantity.unknown" />
      </span>
    );
  }
  return <>{formats.quantity(stock.quantity, stock.unit)}</>;
}
