import { dirname, join, normalize } from 'node:path';

/** A source file of the repository; `path` from its root, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export interface Rule {
  readonly name: string;
  readonly why: string;
  /** @returns what is wrong with the file, one line each */
  check(source: Source): string[];
  /** A file that must be found wrong: the proof that the rule can fail. */
  readonly fixture: Source;
}

/** Floors of the cloud, bottom to top; rooms of one floor may know each other. */
const CLOUD_FLOORS: readonly (readonly string[])[] = [
  ['readings', 'database'],
  ['stock'],
  ['consumption'],
  ['forecast'],
  ['trading'],
  ['scheduling'],
  ['configuration'],
  ['ingest', 'identity', 'http', 'broker'],
];
const PROGRAMS = ['edge-agent', 'cloud', 'firmware-sim'];

/** Known only to the composition root; everyone else knows the port. */
const ADAPTERS: ReadonlySet<string> = new Set([
  'cloud/src/database/pglite.ts',
  'cloud/src/readings/sqlite.ts',
  'cloud/src/broker/embedded.ts',
]);

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g;

/** What a file imports: paths from the root for files of ours, names for packages. */
export function importsOf(source: Source): string[] {
  return [...source.text.matchAll(IMPORT)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? '';
    if (target.startsWith('#shared/')) return target.replace('#shared/', 'shared/src/');
    return target.startsWith('.') ? normalize(join(dirname(source.path), target)) : target;
  });
}

/** Tests, benchmarks and the demo may look into every room. */
const isProduct = ({ path }: Source): boolean =>
  PROGRAMS.concat('shared').some((part) => path.startsWith(`${part}/src/`)) &&
  !/\.test\.tsx?$|(^|\/)(conformance|testing)(\.ts$|\/)/.test(path);

const isCore = (path: string): boolean => path.includes('/core/');

function cloudFloor(path: string): number {
  const room = /^cloud\/src\/([^/]+)\//.exec(path)?.[1];
  if (room === undefined) return CLOUD_FLOORS.length;
  if (isCore(path)) return -1;
  return CLOUD_FLOORS.findIndex((rooms) => rooms.includes(room));
}

/** Text without comments, so that prose breaks no rule. */
const codeOf = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/[^\n]*/g, '$1');

function matches(source: Source, pattern: RegExp): string[] {
  return [...codeOf(source.text).matchAll(pattern)].map((match) => `uses ${match[0].trim()}`);
}

export const RULES: readonly Rule[] = [
  {
    name: 'programs never import each other',
    why: 'a word-order mistake of the simulator must not cancel out one of the agent',
    check: (source) => {
      const own = PROGRAMS.find((program) => source.path.startsWith(`${program}/src/`));
      if (own === undefined || source.path.endsWith('.test.ts')) return [];
      return importsOf(source)
        .filter((path) => PROGRAMS.some((other) => other !== own && path.startsWith(`${other}/`)))
        .map((path) => `imports ${path}`);
    },
    fixture: {
      path: 'edge-agent/src/bus/bus.ts',
      text: `import { frame } from '../../../firmware-sim/src/frame.ts';`,
    },
  },
  {
    name: 'shared knows none of the programs',
    why: 'it is the vocabulary below them all',
    check: (source) =>
      source.path.startsWith('shared/src/')
        ? importsOf(source)
            .filter((path) => PROGRAMS.some((program) => path.startsWith(`${program}/`)))
            .map((path) => `imports ${path}`)
        : [],
    fixture: { path: 'shared/src/ids.ts', text: `import { x } from '../../cloud/src/main.ts';` },
  },
  {
    name: 'imports go down the floors of the cloud',
    why: 'what is below can be understood and tested without what is above',
    check: (source) => {
      if (!isProduct(source) || !source.path.startsWith('cloud/src/')) return [];
      const floor = cloudFloor(source.path);
      return importsOf(source)
        .filter((path) => path.startsWith('cloud/') && cloudFloor(path) > floor)
        .map((path) => `imports ${path}`);
    },
    fixture: {
      path: 'cloud/src/stock/bins.ts',
      text: `import { worker } from '../ingest/worker.ts';`,
    },
  },
  {
    name: 'every room of the cloud stands on a floor',
    why: 'a room without a floor escapes the rule of imports',
    check: (source) =>
      /^cloud\/src\/[^/]+\//.test(source.path) &&
      !isCore(source.path) &&
      cloudFloor(source.path) === -1
        ? ['its room is not in CLOUD_FLOORS']
        : [],
    fixture: { path: 'cloud/src/misc/thing.ts', text: '' },
  },
  {
    name: 'a core is pure',
    why: 'decisions are functions over plain data: no clock, no I/O, no randomness, no log',
    check: (source) =>
      isProduct(source) && isCore(source.path)
        ? [
            ...matches(
              source,
              /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bprocess\.|\bconsole\.|\bset(?:Timeout|Interval|Immediate)\b|\bfetch\(/g,
            ),
            ...importsOf(source)
              .filter((path) => path.startsWith('node:') || path.endsWith('/log.ts'))
              .map((path) => `imports ${path}`),
          ]
        : [],
    fixture: {
      path: 'edge-agent/src/core/settling.ts',
      text: `export const at = () => Date.now();`,
    },
  },
  {
    name: 'only a composition root touches the process',
    why: 'signals, arguments, environment and exit belong to main.ts alone',
    check: (source) =>
      isProduct(source) && !/(^|\/)main\.ts$/.test(source.path)
        ? matches(source, /\bprocess\.(?:exit|on|once|argv|env|stdout|stdin|kill)\b/g)
        : [],
    fixture: { path: 'cloud/src/ingest/worker.ts', text: `process.exit(1);` },
  },
  {
    name: 'adapters are known only to the composition root',
    why: 'everyone else knows the port, so that another adapter can take its place',
    check: (source) =>
      isProduct(source) && !/(^|\/)main\.ts$/.test(source.path)
        ? importsOf(source)
            .filter((path) => ADAPTERS.has(path))
            .map((path) => `imports ${path}`)
        : [],
    fixture: {
      path: 'cloud/src/stock/view.ts',
      text: `import { openPglite } from '../database/pglite.ts';`,
    },
  },
  {
    name: 'a folder is a noun of the field',
    why: 'a drawer for everything is a place to look for nothing',
    check: ({ path }) =>
      /(^|\/)(utils?|helpers?|managers?|common|services?|misc)(\/|\.tsx?$)/.test(path)
        ? ['is named after no noun of the field']
        : [],
    fixture: { path: 'cloud/src/stock/utils.ts', text: '' },
  },
  {
    name: 'nothing is left for later or switched off',
    why: 'an unfinished thought, a skipped test or a silenced check hides a defect',
    check: (source) => [
      ...[
        ...source.text.matchAll(/\b(?:TODO|FIXME|XXX|HACK)\b|@ts-(?:ignore|expect-error|nocheck)/g),
      ].map((match) => `has ${match[0]}`),
      ...matches(
        source,
        /\b(?:test|it|describe)\.(?:only|skip|todo)\(|\b(?:eslint|oxlint)-disable/g,
      ),
    ],
    fixture: { path: 'cloud/src/stock/bins.ts', text: ['// TO', 'DO: later'].join('') },
  },
  {
    name: 'a test waits with patience',
    why: 'by itself vi.waitFor gives up after a second: end it with WAIT of shared/testing/patience.ts',
    check: (source) => {
      const count = (pattern: RegExp): number => [...codeOf(source.text).matchAll(pattern)].length;
      const hasty = count(/\bvi\.waitFor\(/g) - count(/[\s,.]WAIT\b(?! *\})/g);
      return hasty > 0 ? [`waits ${hasty} times without patience`] : [];
    },
    fixture: {
      path: 'edge-agent/src/bus/bus.test.ts',
      text: `await vi.waitFor(() => expect(reads).toHaveLength(1));`,
    },
  },
];
