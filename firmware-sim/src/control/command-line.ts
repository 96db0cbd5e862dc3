import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { Failure, messageOf } from '#shared/failure.ts';
import { FAULT_KIND_NAMES } from '../core/faults.ts';
import { frameText } from './frame-text.ts';

const display = z.object({
  grossMg: z.number(),
  netMg: z.number(),
  stable: z.boolean(),
  overload: z.boolean(),
  underload: z.boolean(),
  cellError: z.boolean().optional(),
});
const stateSchema = z.object({
  links: z.array(
    z.object({
      site: z.string(),
      link: z.string(),
      protocol: z.string(),
      port: z.number(),
      path: z.string().nullable(),
      kinds: z.array(z.string()),
    }),
  ),
  bins: z.array(
    z.object({
      bin: z.string(),
      site: z.string(),
      link: z.string(),
      unit: z.number().nullable(),
      quantity: z.number(),
      quantityUnit: z.string(),
      display,
    }),
  ),
  faults: z.array(
    z.object({
      id: z.string(),
      unit: z.number().nullable(),
      rule: z.object({ kind: z.string() }),
      active: z.boolean(),
      injected: z.number(),
    }),
  ),
});
const framesSchema = z.array(
  z.object({
    id: z.number(),
    at: z.number(),
    site: z.string(),
    link: z.string(),
    dir: z.enum(['rx', 'tx']),
    hex: z.string(),
    fault: z.string().nullable(),
    meaning: z.array(z.object({ label: z.string(), value: z.string() })),
  }),
);
const refusalSchema = z.object({ error: z.string() });

interface Outlet {
  readonly print: (line: string) => void;
}

type Request = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>;

interface FaultOptions {
  readonly unit?: number;
  readonly count?: number;
  readonly duration?: number;
  readonly after?: number;
  readonly probability?: number;
  readonly code?: number;
  readonly connections?: number;
}

const bin = (name: string): string => `bins/${encodeURIComponent(name)}`;

/** `sim ctl`: what the panel offers, from the command line and through the same interface. */
export function controlCommand({ print }: Outlet): Command {
  const ctl = new Command('ctl')
    .description('work a simulator that runs with --panel PORT')
    .addOption(
      new Option('--panel <port>', "the simulator's panel").argParser(whole).makeOptionMandatory(),
    );
  const request: Request = (method, path, body) =>
    ask(`http://127.0.0.1:${ctl.opts<{ panel: number }>().panel}/api/${path}`, method, body);

  /** What came of it. */
  const printBin = async (name: string): Promise<void> => {
    const { bins } = stateSchema.parse(await request('GET', 'state'));
    for (const line of listing({ bins: bins.filter(({ bin }) => bin === name), faults: [] })) {
      print(line);
    }
  };

  ctl
    .command('list')
    .description('bins with what is there and what their indicators show, and faults')
    .option('--links', 'links instead, with where they are and what faults they can have')
    .action(async ({ links }: { links?: true }) => {
      const state = stateSchema.parse(await request('GET', 'state'));
      for (const line of links === true ? linkLines(state) : listing(state)) print(line);
    });
  for (const kind of ['put', 'take'] as const) {
    ctl
      .command(kind)
      .description(`${kind} goods ${kind === 'put' ? 'into' : 'from'} a bin; the truth is told`)
      .argument('<bin>')
      .argument('<quantity>', 'pieces, or mg of a bulk product', whole)
      .action(async (name: string, quantity: number) => {
        await request('POST', `${bin(name)}/${kind}`, { quantity });
        await printBin(name);
        print(`undo with: ${kind === 'put' ? 'take' : 'put'} ${name} ${quantity}`);
      });
  }
  for (const key of ['tare', 'zero', 'clear-tare'] as const) {
    ctl
      .command(key)
      .description(`press the indicator's key`)
      .argument('<bin>')
      .action(async (name: string) => {
        await request('POST', `${bin(name)}/${key}`, {});
        await printBin(name);
      });
  }
  addFaultCommands(ctl, request, print);
  ctl
    .command('frames')
    .description('the newest bytes on the wire, and what they mean')
    .option('--link <site/link>', 'only of this link')
    .option('--limit <number>', 'how many at most', whole, 20)
    .action(async ({ link, limit }: { link?: string; limit: number }) => {
      const query = new URLSearchParams({ limit: String(limit), ...(link && { link }) });
      const frames = framesSchema.parse(await request('GET', `frames?${query.toString()}`));
      for (const frame of frames) print(frameLine(frame));
    });
  return ctl;
}

function addFaultCommands(ctl: Command, request: Request, print: Outlet['print']): void {
  ctl
    .command('fault')
    .description('let something go wrong; prints the id to clear it with')
    .argument('<link>', 'site/link')
    .argument('<kind>', FAULT_KIND_NAMES.join(', '))
    .option('--unit <number>', 'only this Modbus unit', whole)
    .option('--count <number>', 'how often at most', whole)
    .option('--duration <seconds>', 'for how long', positive)
    .option('--after <seconds>', 'beginning when', seconds)
    .option('--probability <share>', '0 to 1, of each answer', positive)
    .option('--code <number>', 'of an exception', whole)
    .option('--connections <number>', 'of max-connections', whole)
    .action(async (link: string, kind: string, options: FaultOptions) => {
      const { duration: durationS, after: afterS, ...rest } = options;
      const body = { link, kind, durationS, afterS, ...rest };
      print(z.object({ id: z.string() }).parse(await request('POST', 'faults', body)).id);
    });
  ctl
    .command('clear')
    .description('end a fault, or all')
    .argument('[id]', 'as `fault` and `list` print it; absent: all')
    .action(async (id?: string) => {
      const path = id === undefined ? 'faults' : `faults/${encodeURIComponent(id)}`;
      const { cleared } = z
        .object({ cleared: z.number() })
        .parse(await request('DELETE', path, {}));
      print(`cleared ${cleared}`);
    });
}

async function ask(url: string, method: string, body?: object): Promise<unknown> {
  const init =
    body === undefined
      ? { method }
      : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(url, init).catch((cause: unknown) => {
    const message = `no simulator at ${new URL(url).host}: start one with --panel ${new URL(url).port}`;
    throw new Failure('no-simulator', message, { retry: 'never', cause });
  });
  const answer: unknown = await response.json().catch((cause: unknown) => {
    throw new Failure('no-simulator', messageOf(cause), { retry: 'never', cause });
  });
  if (response.ok) return answer;
  const { error } = refusalSchema.parse(answer);
  const hint = response.status === 404 ? '; `list` and `list --links` name what is there' : '';
  throw new Failure('refused', `${error}${hint}`, { retry: 'never' });
}

type State = z.output<typeof stateSchema>;

function linkLines({ links }: State): string[] {
  return links.map(({ site, link, protocol, port, path, kinds }) =>
    [
      `${site}/${link}`,
      protocol,
      `127.0.0.1:${port}`,
      ...(path === null ? [] : [path]),
      kinds.join(' '),
    ].join('  '),
  );
}

function listing({ bins, faults }: Pick<State, 'bins' | 'faults'>): string[] {
  const rows = bins.map(({ bin, site, link, unit, quantity, quantityUnit, display: shown }) => [
    bin,
    `${site}/${link}${unit === null ? '' : ` unit ${unit}`}`,
    `${quantity} ${quantityUnit}`,
    `gross ${shown.grossMg / 1000} g`,
    `net ${shown.netMg / 1000} g`,
    stateOf(shown),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [
    ...rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')),
    ...faults.map(({ id, unit, rule, active, injected }) =>
      [
        `fault ${id}`,
        rule.kind,
        ...(unit === null ? [] : [`unit ${unit}`]),
        `injected ${injected}`,
        active ? 'active' : 'over',
      ].join('  '),
    ),
  ];
}

function stateOf(shown: z.output<typeof display>): string {
  if (shown.cellError === true) return 'cell error';
  if (shown.overload) return 'overload';
  if (shown.underload) return 'underload';
  return shown.stable ? 'stable' : 'in motion';
}

function frameLine(frame: z.output<typeof framesSchema>[number]): string {
  const { at, site, link } = frame;
  return [new Date(at).toISOString(), `${site}/${link}`, frameText(frame)].join('  ');
}

function whole(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('a whole number');
}

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0) return number;
  throw new InvalidArgumentError('seconds, 0 or more');
}

function positive(text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('a number above 0');
}
