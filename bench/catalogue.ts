import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Benchmark } from './benchmark.ts';

const ROOT = join(import.meta.dirname, '..');

/** Every benchmark of the repository, sorted by name: the files `<part>/bench/NAME.bench.ts`. */
export async function catalogue(): Promise<Benchmark[]> {
  const files = globSync('{shared,edge-agent,cloud,firmware-sim,demo}/bench/*.bench.ts', {
    cwd: ROOT,
  });
  const benchmarks: Benchmark[] = [];
  for (const file of files) {
    const module = (await import(pathToFileURL(join(ROOT, file)).href)) as { bench: Benchmark };
    benchmarks.push(module.bench);
  }
  return benchmarks.toSorted((a, b) => a.name.localeCompare(b.name));
}

/** The options of a run: the defaults, or the small ones, with what was given instead. */
export function optionsOf(
  benchmark: Benchmark,
  size: 'default' | 'small',
  given: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const entries = Object.entries(benchmark.options).map(
    ([name, option]) => [name, given[name] ?? option[size]] as const,
  );
  return Object.fromEntries(entries);
}
