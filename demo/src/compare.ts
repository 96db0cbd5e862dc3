import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { messageOf } from '#shared/failure.ts';
import { DAY_MS } from '#shared/units.ts';
import { Api } from './api.ts';
import { compare, grossErrorPercent, type ComparisonRow, type Measured } from './comparison.ts';
import { readTruth } from './truth.ts';

const worldSchema = z.object({ startedAt: z.int(), historyFrom: z.int() });

interface ConsumptionRow extends Measured {
  readonly from: number;
}

async function consumption(api: Api, query: Record<string, string | number>) {
  const text = new URLSearchParams(
    Object.entries(query).map(([key, value]) => [key, String(value)]),
  );
  return (await api.get<{ rows: ConsumptionRow[] }>(`/consumption?${text.toString()}`)).rows;
}

function print(title: string, rows: readonly ComparisonRow[]): void {
  console.log(title);
  console.table(
    rows.map(({ key, unit, truth, measured, errorPercent }) => ({
      what: key,
      unit,
      truth,
      measured,
      'error %': Number(errorPercent.toFixed(2)),
    })),
  );
}

const dayOf = (at: number): number => Math.floor(at / DAY_MS);

async function main(dataDir: string, base: string): Promise<void> {
  const key = readFileSync(join(dataDir, 'cloud', 'first-key'), 'utf8').trim();
  const world = worldSchema.parse(
    JSON.parse(readFileSync(join(dataDir, 'sim', 'state.json'), 'utf8')),
  );
  const { historyFrom: from, startedAt: to } = world;
  const api = new Api(base, key);
  const sites = await api.list<{ id: string; customerId: string | null }>('/sites');
  const bins = await api.list<{ id: string; siteId: string }>('/bins');
  const customers = new Set(sites.filter((site) => site.customerId !== null).map(({ id }) => id));
  const atCustomers = new Set(bins.filter((b) => customers.has(b.siteId)).map(({ id }) => id));
  const truth = await readTruth(join(dataDir, 'sim', 'truth.jsonl'), from, to);
  const sold = truth.filter(({ bin }) => atCustomers.has(bin));

  const byProduct = compare(
    sold,
    await consumption(api, { from, to, by: 'product' }),
    ({ product }) => product,
  );
  print('Consumption at the customers, by product', byProduct);
  const unitOf = new Map(byProduct.map((row) => [row.key, row.unit]));
  for (const unit of ['piece', 'mg']) {
    const rows = byProduct.filter((row) => row.unit === unit);
    console.log(`gross error by product, ${unit}: ${grossErrorPercent(rows).toFixed(2)} %`);
  }

  const daily = await consumption(api, { from, to, by: 'bin', step: 'day', own: 'include' });
  for (const unit of ['piece', 'mg']) {
    const rows = compare(
      truth.filter(({ product }) => (unitOf.get(product) ?? 'piece') === unit),
      daily
        .filter((row) => row.unit === unit)
        .map((row) => ({ ...row, key: `${row.key} ${dayOf(row.from)}` })),
      ({ bin, at }) => `${bin} ${dayOf(at)}`,
    );
    console.log(`gross error by bin and day, ${unit}: ${grossErrorPercent(rows).toFixed(2)} %`);
  }
}

const program = new Command('compare')
  .description("Compares the demo's consumption as the API has it with the simulator's truth log.")
  .option('--data <folder>', "the demo's folder", 'data')
  .option('--url <url>', 'where the cloud listens', 'http://127.0.0.1:8080');
program.parse();
const { data, url } = program.opts<{ data: string; url: string }>();
try {
  await main(resolve(data), url);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
