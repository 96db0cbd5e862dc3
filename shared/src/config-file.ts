import { LineCounter, isNode, parseDocument, type Document } from 'yaml';
import type { core, ZodType } from 'zod';
import { messageOf } from './failure.ts';

/** One fault of a configuration file; `line` is 1-based. */
export interface ConfigFault {
  readonly file: string;
  readonly line: number;
  /** Dotted path of the key, e.g. `links.0.baud`; empty for the whole file. */
  readonly key: string;
  /** What stands there, e.g. `missing` or `is 9601`; never a secret. */
  readonly found: string;
  readonly expected: string;
}

export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(describe).join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** `agent.yaml:12: links.0.baud: is 9601; expected one of 1200, 2400, …` */
function describe(fault: ConfigFault): string {
  const place = `${fault.file}:${fault.line}: ${fault.key === '' ? '' : `${fault.key}: `}`;
  return `${place}${fault.found}; expected ${fault.expected}`;
}

/** Enough to see which value is meant. */
const MOST_SHOWN = 80;

/** Faults are logged: a whole file or section may hold the secret, so only single values are shown. */
function foundAt(path: Path, value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'is null';
  if (Array.isArray(value)) return 'is a list';
  const key = path.at(-1);
  if (typeof value === 'object' || key === undefined || key === 'secret') {
    return `is of type ${typeof value}`;
  }
  const shown = JSON.stringify(value);
  return `is ${shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}…` : shown}`;
}

/**
 * Parses a YAML configuration against its schema into a frozen object.
 * Schemas are strict objects, so an unknown key is a fault.
 * @throws ConfigError with every fault of the file, not only the first
 */
export function parseConfig<T>(file: string, text: string, schema: ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ message, pos }) =>
        notYaml(file, message.replace(YAML_PLACE, ''), lines.linePos(pos[0]).line),
      ),
    );
  }
  let content: unknown;
  try {
    content = document.toJS() ?? {};
  } catch (error) {
    // Aliases of aliases that would unfold to more than any memory holds.
    throw new ConfigError([notYaml(file, messageOf(error), 1)]);
  }
  return checkConfig(file, content, schema, (path) => lineOf(document, lines, path));
}

type Path = readonly PropertyKey[];

/** What the library adds to its first line: the place, and then an extract, which may hold a secret. */
const YAML_PLACE = / at line \d+, column \d+:[^]*$/;

function notYaml(file: string, found: string, line: number): ConfigFault {
  return { file, line, key: '', found, expected: 'valid YAML' };
}

/**
 * Checks what is not, or not as a whole, the text of the file.
 * @param line where a key stands, if it stands anywhere
 * @throws ConfigError with every fault
 */
export function checkConfig<T>(
  file: string,
  content: unknown,
  schema: ZodType<T>,
  line: (path: Path) => number = () => 1,
): T {
  const parsed = schema.safeParse(content);
  if (parsed.success) return deepFreeze(parsed.data);
  const faults = parsed.error.issues.flatMap((issue) =>
    issueFaults(issue, content, line).map((fault) => ({ file, ...fault })),
  );
  throw new ConfigError(faults.toSorted((a, b) => a.line - b.line));
}

function issueFaults(
  issue: core.$ZodIssue,
  content: unknown,
  line: (path: Path) => number,
): Omit<ConfigFault, 'file'>[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const found = foundAt(path, valueAt(content, path));
      return { line: line(path), key: path.join('.'), found, expected: 'no such key' };
    });
  }
  const single = singleIssues(issue);
  if (single) return single.flatMap((part) => issueFaults(part, content, line));
  const { path } = issue;
  const found = foundAt(path, valueAt(content, path));
  return [{ line: line(path), key: path.join('.'), found, expected: expectation(issue) }];
}

/**
 * What is wrong with a value that may have several forms, by the form that was most likely meant.
 * @returns issues with paths from the whole content on; `undefined` where the issue is single itself
 */
export function singleIssues(issue: core.$ZodIssue): core.$ZodIssue[] | undefined {
  const meant = issue.code === 'invalid_union' ? likeliest(issue.errors) : undefined;
  return meant?.map((part) => ({ ...part, path: [...issue.path, ...part.path] }));
}

/** Of several forms the one with the fewest faults, if any has the kind of value that stands there. */
function likeliest(forms: readonly core.$ZodIssue[][]): readonly core.$ZodIssue[] | undefined {
  return forms
    .filter((issues) => issues.every(isInside))
    .toSorted((a, b) => faultCount(a) - faultCount(b))[0];
}

const isInside = (issue: core.$ZodIssue): boolean =>
  issue.path.length > 0 || issue.code === 'unrecognized_keys';

const faultCount = (issues: readonly core.$ZodIssue[]): number =>
  issues.reduce(
    (sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1),
    0,
  );

/** What was expected, in the words of zod's own message where it has no better ones. */
function expectation(issue: core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `a value of type ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length === 1
        ? String(issue.values[0])
        : `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    case 'invalid_union': {
      const branches = issue.errors.flatMap(([first]) => (first === undefined ? [] : [first]));
      return branches.length > 0
        ? [...new Set(branches.map(expectation))].join(' or ')
        : issue.message.replace(/^Invalid discriminator value\. Expected /, 'one of ');
    }
    default:
      return issue.message;
  }
}

function valueAt(content: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    content,
  );
}

/** The line of the deepest part of `path` that stands in the file. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
