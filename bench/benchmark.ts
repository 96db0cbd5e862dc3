/** A benchmark's option; numbers only, so that every run can be written down in one line. */
export interface BenchmarkOption {
  readonly default: number;
  /** The value of the small run that the tests make, so that a benchmark cannot rot. */
  readonly small: number;
  readonly describe: string;
}

/** One `NAME.bench.ts` exports one of these as `bench`. */
export interface Benchmark<Option extends string = string, Figure extends string = string> {
  readonly name: string;
  readonly describe: string;
  readonly options: Readonly<Record<Option, BenchmarkOption>>;
  /** What each figure means; its unit is the end of its name (`readings_per_s`, `rss_mb`). */
  readonly figures: Readonly<Record<Figure, string>>;
  run(options: Readonly<Record<Option, number>>): Promise<Readonly<Record<Figure, number>>>;
}
