import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { Failure, messageOf } from '#shared/failure.ts';
import { FAULT_KIND_NAMES } from '../core/faults.ts';
import { frameLine, framesSchema, linkLines, listing, stateSchema } from './listing.ts';

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
