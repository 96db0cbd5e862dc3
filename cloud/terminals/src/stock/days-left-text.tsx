import { FormattedMessage } from 'react-intl';
import { LOW_DAYS, type DaysLeft } from '../figures/days-left.ts';
import classes from './stock.module.css';

export function DaysLeftText({ left }: { readonly left: DaysLeft }) {
  if (left.kind === 'over-a-year') return <FormattedMessage id="stock.left.over-a-year" />;
  if (left.kind === 'unknown') {
    return (
      <span className={classes['unknown']}>
        <FormattedMessage id={`stock.left.${left.why}`} />
      </span>
    );
  }
  const days = left.days < 10 ? Math.round(left.days * 10) / 10 : Math.round(left.days);
  return (
    <span className={left.days < LOW_DAYS ? classes['low'] : undefined}>
      <FormattedMessage id="stock.left.days" values={{ days }} />
    </span>
  );
}
