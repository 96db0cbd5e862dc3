import { FormattedMessage } from 'react-intl';
import { Age } from '../figures/age.tsx';
import { KeyFigure } from '../figures/key-figure.tsx';
import { useFormats } from '../figures/use-formats.ts';
import { DaysLeftText } from '../stock/days-left-text.tsx';
import { FillBar } from '../stock/fill-bar.tsx';
import { HealthBadge } from '../stock/health-badge.tsx';
import { LiveText } from '../stock/live-text.tsx';
import { QuantityText } from '../stock/quantity-text.tsx';
import type { StockRow } from '../stock/rows.ts';
import classes from './bin.module.css';

/** What is in the bin now, and for how long. */
export function BinFigures({ row }: { readonly row: StockRow }) {
  const { stock } = row;
  const formats = useFormats();
  const age = <Age at={stock.readAt} stale={row.stale} />;
  return (
    <dl className={classes['figures']}>
      <KeyFigure
        label={<FormattedMessage id="stock.quantity" />}
        value={
          <>
            <QuantityText stock={stock} />
            <LiveText stock={stock} />
          </>
        }
        note={stock.massMg === null ? undefined : formats.mass(stock.massMg)}
        age={age}
        alarm={row.stale}
      />
      <KeyFigure
        label={<FormattedMessage id="stock.fill" />}
        value={<FillBar row={row} />}
        age={age}
      />
      <KeyFigure
        label={<FormattedMessage id="stock.left" />}
        value={<DaysLeftText left={row.left} />}
        note={<FormattedMessage id="stock.left.note" />}
        age={age}
      />
      <KeyFigure
        label={<FormattedMessage id="stock.health" />}
        value={<HealthBadge health={stock.health} quality={stock.quality} />}
        note={<FormattedMessage id={`health.${stock.health}.reason`} />}
        age={age}
      />
    </dl>
  );
}
