import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '#shared/clock.ts';
import { ConfigError } from '#shared/config-file.ts';
import { Failure } from '#shared/failure.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '#shared/log.ts';
import { controlCommand } from './control/command-line.ts';
import { openPanel } from './control/http.ts';
import { fileFailure } from './file-errors.ts';
import { replayCommand } from './replay/command-line.ts';
import { startSimulator } from './run.ts';
import { parseScenario, type Scenario } from './scenario/scenario.ts';
import { writeHistory } from './simulation/history.ts';

interface RunOptions {
  readonly scenario: string;
  readonly state?: string;
  readonly pty?: string;
  readonly speed: number;
  readonly panel?: number;
  readonly log: LogLevel;
}

interface HistoryOptions {
  readonly scenario: string;
  readonly state: string;
  readonly out: string;
}

async function readScenario(file: string): Promise<Scenario> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fileFailure(file, error);
  });
  return parseScenario(file, text);
}

/** Aborted by SIGINT or SIGTERM; a second signal ends the process at once. */
function untilSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      controller.abort(new Failure('stopped', `stopped by ${name}`, { retry: 'now' }));
    });
  }
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function run(options: RunOptions): Promise<void> {
  const signal = untilSignal();
  const scenario = await readScenario(options.scenario);
  const log = createLog('sim', options.log);
  const simulator = await startSimulator({
    scenario,
    speed: options.speed,
    stateDir: options.state ?? null,
    ptyDir: options.pty ?? null,
    clock: systemClock,
    log,
  });
  const panel =
    options.panel === undefined
      ? null
      : await openPanel(simulator.control, options.panel).catch(async (error: unknown) => {
          await simulator.close();
          throw error;
        });
  if (panel) log.info({ url: panel.url }, 'panel open');
  for (const link of simulator.links) log.info(link, 'link open');
  log.info({ scenario: scenario.name, links: simulator.links.length }, 'ready');
  try {
    await Promise.race([aborted(signal), simulator.failed]);
  } finally {
    await panel?.close();
    await simulator.close();
  }
  log.info('stopped');
}

async function history(options: HistoryOptions): Promise<void> {
  const scenario = await readScenario(options.scenario);
  const show = process.stderr.isTTY;
  const report = await writeHistory({
    scenario,
    stateDir: options.state,
    outDir: options.out,
    now: systemClock.wallMs(),
    signal: untilSignal(),
    progress: (share) => {
      if (show) process.stderr.write(`\rhistory ${Math.floor(share * 100)} %`);
    },
  });
  if (show) process.stderr.write('\n');
  if (report.truthReplaced !== null) {
    process.stderr.write(`the damaged truth was set aside as ${report.truthReplaced}\n`);
  }
  const [from, to] = [report.from, report.to].map((at) => new Date(at).toISOString());
  process.stdout.write(
    `${report.readings} readings from ${from} to ${to} in ${report.files.length} recordings\n`,
  );
}

/** A week in ten minutes is 1008. */
const MOST_SPEED = 10_000;

function speedOf(text: string): number {
  const speed = Number(text);
  if (speed > 0 && speed <= MOST_SPEED) return speed;
  throw new InvalidArgumentError(`more than 0, at most ${MOST_SPEED}`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (text !== '' && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('a port, 0 to 65535');
}

const scenarioOption = (): Option =>
  new Option(
    '--scenario <file>',
    'sites, links, scales and their use (YAML)',
  ).makeOptionMandatory();

const program = new Command('sim').description(
  "Simulates scales and the consumption at a supplier's customers.",
);
program
  .command('run', { isDefault: true })
  .description('serve the scales of a scenario on 127.0.0.1 (default command)')
  .addOption(scenarioOption())
  .option('--state <dir>', 'remember the world here, and keep truth.jsonl: what really happened')
  .option('--pty <dir>', 'offer serial links also as pseudo-terminals <dir>/<site>-<link> (socat)')
  .addOption(
    new Option('--speed <factor>', "how many times faster than the clock the world's time passes")
      .argParser(speedOf)
      .default(1),
  )
  .addOption(
    new Option('--panel <port>', "the technician's page and `sim ctl`, on 127.0.0.1").argParser(
      portOf,
    ),
  )
  .addOption(new Option('--log <level>', 'how much to log').choices(LOG_LEVELS).default('info'))
  .action(run);
program
  .command('history')
  .description(
    "write what the indicators would have logged in the scenario's historyDays until now",
  )
  .addOption(scenarioOption())
  .requiredOption('--state <dir>', 'where the world is remembered; give the same folder to run')
  .requiredOption('--out <dir>', 'where to write <agent>.recording.jsonl')
  .action(history);
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
program.addCommand(replayCommand({ print, untilStopped: () => aborted(untilSignal()) }));
program.addCommand(controlCommand({ print }));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof Failure || error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
