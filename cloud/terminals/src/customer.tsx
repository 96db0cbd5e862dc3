import { lazy } from 'react';
import { startTerminal } from './frame/start.tsx';
import { OverviewPage } from './stock/overview-page.tsx';

const ConsumptionPage = lazy(async () => {
  const page = await import('./consumption/consumption-page.tsx');
  return { default: page.ConsumptionPage };
});
const BinPage = lazy(async () => {
  const page = await import('./bin/bin-page.tsx');
  return { default: page.BinPage };
});

startTerminal('customer', [
  { path: '', title: 'page.stock', page: OverviewPage },
  { path: 'consumption', title: 'page.consumption', page: ConsumptionPage },
  { path: 'bins', title: 'page.bin', page: BinPage, inner: true },
]);
