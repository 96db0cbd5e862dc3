import type { Scenario, Site } from '../../firmware-sim/src/scenario/scenario.ts';
import type { Api } from './api.ts';
import type { Workspace } from './workspace.ts';

/** Makes what is missing of the scenario's products, customers, sites, bins, agents and keys. */
export async function provision(scenario: Scenario, api: Api, workspace: Workspace): Promise<void> {
  for (const { id, name, unit, pieceMassMg } of scenario.products) {
    await api.ensure('/products', { id, name, unit, pieceMassMg: pieceMassMg ?? null });
  }
  for (const { id, name } of scenario.customers) {
    await api.ensure('/customers', { id, name });
    workspace.state.customerKeys[id] ??= await customerKey(api, id);
    workspace.save();
  }
  for (const site of scenario.sites) {
    const { id, name, customer, timeZone } = site;
    await api.ensure('/sites', { id, name, customerId: customer, timeZone });
    await provisionBins(site, api);
    if (workspace.state.agents[site.agent] === undefined) {
      const agent = await api.create<{ secret: string }>('/agents', { id: site.agent, siteId: id });
      workspace.state.agents[site.agent] = agent.secret;
      workspace.save();
    }
  }
}

async function customerKey(api: Api, customerId: string): Promise<string> {
  const created = await api.create<{ key: string }>('/keys', {
    name: `demo terminal of ${customerId}`,
    role: 'customer',
    customerId,
  });
  return created.key;
}

async function provisionBins(site: Site, api: Api): Promise<void> {
  for (const { bin, name, product, capacityMg, tareMg } of site.links.flatMap(
    (link) => link.scales,
  )) {
    await api.ensure('/bins', {
      id: bin,
      name,
      siteId: site.id,
      productId: product,
      capacityMg,
      tareMg,
    });
  }
}
