import { useIntl } from 'react-intl';
import type { StockRow } from './rows.ts';
import { fillOf } from './rows.ts';
import classes from './stock.module.css';

/** How full a bin is; hatched where the figure is stale. */
export function FillBar({ row }: { readonly row: StockRow }) {
  const intl = useIntl();
  const fill = fillOf(row.stock);
  const low = row.attention.includes('low') || row.attention.includes('empty');
  const text =
    fill === null
      ? intl.formatMessage({ id: 'stock.fill.unknown' })
      : intl.formatNumber(fill, { style: 'percent', maximumFractionDigits: 0 });
  return (
    <div className={classes['fill']}>
      <div
        className={classes['track']}
        role="meter"
        aria-label={intl.formatMessage({ id: 'stock.fill' })}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((fill ?? 0) * 100)}
        aria-valuetext={text}
        data-low={low || undefined}
        data-stale={row.stale || undefined}
      >
        <div className={classes['level']} style={{ width: `${(fill ?? 0) * 100}%` }} />
      </div>
      <span className={classes['percent']} aria-hidden="true">
        {fill === null ? '–' : text}
      </span>
    </div>
  );
}
