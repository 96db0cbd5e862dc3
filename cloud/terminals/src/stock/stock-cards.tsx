import { Age } from '../figures/age.tsx';
import { formatPlace } from '../routing/place.ts';
import { DaysLeftText } from './days-left-text.tsx';
import { FillBar } from './fill-bar.tsx';
import { HealthBadge } from './health-badge.tsx';
import { LiveText } from './live-text.tsx';
import { QuantityText } from './quantity-text.tsx';
import type { StockRow } from './rows.ts';
import classes from './stock.module.css';

/** The rows of the stock table on a narrow screen. */
export function StockCards({ rows }: { readonly rows: readonly StockRow[] }) {
  return (
    <ul className={classes['cards']}>
      {rows.map((row) => (
        <li key={row.stock.binId} className={classes['card']} data-bin={row.stock.binId}>
          <div className={classes['line']}>
            <a className={classes['binlink']} href={formatPlace(['bins', row.stock.binId])}>
              {row.stock.binName}
            </a>
            <HealthBadge health={row.stock.health} quality={row.stock.quality} />
          </div>
          <div className={classes['where']}>
            {[row.customer, row.site, row.stock.productName]
              .filter((name) => name !== '')
              .join(' · ')}
          </div>
          <FillBar row={row} />
          <div className={classes['line']}>
            <strong>
              <QuantityText stock={row.stock} />
            </strong>
            <DaysLeftText left={row.left} />
            <Age at={row.stock.readAt} stale={row.stale} />
          </div>
          <LiveText stock={row.stock} />
        </li>
      ))}
    </ul>
  );
}
