import { Anchor, Stack, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import { FormattedMessage } from 'react-intl';
import { ROLLUP_MS } from '#shared/units.ts';
import type { Bin, StockView } from '../../../src/http/contract.ts';
import { useBin, useProducts, useSites } from '../api/resources.ts';
import { Answer } from '../notices/answer.tsx';
import { formatPlace } from '../routing/place.ts';
import { usePlace } from '../routing/use-place.ts';
import { useStockRows } from '../stock/use-stock-rows.ts';
import { useNow } from '../time/clock.ts';
import { periodOf, type Preset } from '../time/period.ts';
import { ownZone } from '../time/zone.ts';
import { BinFigures } from './bin-figures.tsx';
import { BinHistory } from './bin-history.tsx';
import { BinSetup } from './bin-setup.tsx';
import classes from './bin.module.css';

const anyBin = (_stock: StockView): boolean => true;

export function BinPage() {
  const { path } = usePlace();
  const id = path[1] ?? '';
  const bin = useBin(id);
  return (
    <Stack gap="md">
      <Answer of={bin}>{(known) => <KnownBin bin={known} />}</Answer>
    </Stack>
  );
}

/** One bin: what is in it, how it came to that, and how it is set up. */
function KnownBin({ bin }: { readonly bin: Bin }) {
  const { query } = usePlace();
  const { stock, rows } = useStockRows(anyBin);
  const sites = useSites().data?.items;
  const products = useProducts().data?.items;
  const site = sites?.find(({ id }) => id === bin.siteId);
  const product = products?.find(({ id }) => id === bin.productId);
  const row = rows.find((candidate) => candidate.stock.binId === bin.id);
  const zone = site?.timeZone ?? ownZone();
  const now = useNow(ROLLUP_MS);
  const preset = BIN_PRESETS.find((known) => known === query['period']) ?? 'today';
  const period = useMemo(() => periodOf({ preset }, now, zone), [preset, now, zone]);

  return (
    <>
      <div>
        <Text size="sm">
          <Anchor href={formatPlace(site?.customerId === null ? ['own-stock'] : [])}>
            <FormattedMessage id="bin.back" />
          </Anchor>
        </Text>
        <Title order={1} size="h2">
          {bin.name}
        </Title>
        <Text c="dimmed" size="sm">
          {[row?.customer ?? '', site?.name ?? bin.siteId, product?.name ?? bin.productId]
            .filter((name) => name !== '')
            .join(' · ')}
        </Text>
      </div>
      <Answer of={stock}>{() => row !== undefined && <BinFigures row={row} />}</Answer>
      <BinHistory bin={bin} preset={preset} presets={BIN_PRESETS} period={period} zone={zone} />
      <section className={`${classes['panel']} ${classes['padded']}`}>
        <Title order={2} size="h4" mb="sm">
          <FormattedMessage id="bin.setup" />
        </Title>
        <BinSetup bin={bin} product={product?.name ?? bin.productId} site={site} />
      </section>
    </>
  );
}

const BIN_PRESETS = ['today', '7-days', '14-days'] as const satisfies readonly Preset[];
