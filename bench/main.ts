import { parseArgs } from 'node:util';
import { catalogue, optionsOf } from './catalogue.ts';
import type { Benchmark } from './benchmark.ts';

const USAGE = `npm run bench -- NAME [--OPTION NUMBER …]   run one benchmark
npm run bench -- --list                     name all, with their options and figures
npm run bench -- NAME --small               the size that the tests run`;

function listing(benchmark: Benchmark): string {
  const options = Object.entries(benchmark.options).map(
    ([name, option]) => `  --${name} ${option.default}   ${option.describe}`,
  );
  const figures = Object.entries(benchmark.figures).map(([name, text]) => `  ${name}: ${text}`);
  return [`${benchmark.name}: ${benchmark.describe}`, ...options, ...figures].join('\n');
}

/** @throws Error naming the option where one is unknown or no number */
function givenOptions(benchmark: Benchmark, args: string[]): Record<string, number> {
  const names = Object.keys(benchmark.options);
  const { values } = parseArgs({
    args,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  });
  const entries = Object.entries(values).map(([name, text]) => {
    const number = Number(text);
    if (!Number.isFinite(number)) throw new Error(`--${name} ${String(text)}: expected a number`);
    return [name, number] as const;
  });
  return Object.fromEntries(entries);
}

async function main(args: string[]): Promise<number> {
  const benchmarks = await catalogue();
  const [name, ...rest] = args;
  if (name === undefined || name === '--help') {
    console.log(USAGE);
    return name === undefined ? 2 : 0;
  }
  if (name === '--list') {
    console.log(benchmarks.map(listing).join('\n\n'));
    return 0;
  }
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  if (benchmark === undefined) {
    console.error(`no benchmark ${name}; there are ${benchmarks.map((b) => b.name).join(', ')}`);
    return 2;
  }
  const small = rest.includes('--small');
  const options = optionsOf(
    benchmark,
    small ? 'small' : 'default',
    givenOptions(
      benchmark,
      rest.filter((arg) => arg !== '--small'),
    ),
  );
  const figures = await benchmark.run(options);
  console.log(JSON.stringify({ bench: name, figures }));
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
