import { FormattedMessage } from 'react-intl';
import type { Bin, Site } from '../../../src/http/contract.ts';
import { Fact } from '../figures/fact.tsx';
import { useFormats } from '../figures/use-formats.ts';
import classes from './bin.module.css';

/** How the bin's readings are understood. */
export function BinSetup({
  bin,
  product,
  site,
}: {
  readonly bin: Bin;
  readonly product: string;
  readonly site: Site | undefined;
}) {
  const formats = useFormats();
  return (
    <dl className={classes['setup']}>
      <Fact name="setup.bin">{bin.id}</Fact>
      <Fact name="setup.site">{site?.name ?? bin.siteId}</Fact>
      <Fact name="setup.zone">{site?.timeZone ?? '–'}</Fact>
      <Fact name="setup.product">{product}</Fact>
      <Fact name="setup.capacity">{formats.mass(bin.capacityMg)}</Fact>
      <Fact name="setup.tare">{formats.mass(bin.tareMg)}</Fact>
      <Fact name="setup.piece-mass">
        {bin.pieceMassMg === null ? (
          <FormattedMessage id="setup.bulk" />
        ) : (
          <FormattedMessage id="setup.grams" values={{ grams: bin.pieceMassMg / 1_000 }} />
        )}
      </Fact>
      <Fact name="setup.since">
        {bin.since === 0 ? (
          <FormattedMessage id="setup.always" />
        ) : (
          formats.moment(bin.since, site?.timeZone)
        )}
      </Fact>
    </dl>
  );
}
