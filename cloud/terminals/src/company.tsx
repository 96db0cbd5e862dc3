import { lazy } from 'react';
import { AgentsPage } from './agents/agents-page.tsx';
import { startTerminal } from './frame/start.tsx';
import { OverviewPage } from './stock/overview-page.tsx';
import { OwnStockPage } from './stock/own-stock-page.tsx';

const ConsumptionPage = lazy(async () => {
  const page = await import('./consumption/consumption-page.tsx');
  return { default: page.ConsumptionPage };
});
const ConfigurationPage = lazy(async () => {
  const page = await import('./configuration/configuration-page.tsx');
  return { default: page.ConfigurationPage };
});
const BinPage = lazy(async () => {
  const page = await import('./bin/bin-page.tsx');
  return { default: page.BinPage };
});

startTerminal('company', [
  { path: '', title: 'page.overview', page: OverviewPage },
  { path: 'own-stock', title: 'page.own-stock', page: OwnStockPage },
  { path: 'consumption', title: 'page.consumption', page: ConsumptionPage },
  { path: 'agents', title: 'page.agents', page: AgentsPage },
  {
    path: 'configuration',
    title: 'page.configuration',
    page: ConfigurationPage,
    inner: true,
  },
  { path: 'bins', title: 'page.bin', page: BinPage, inner: true },
]);
