import { readFileSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { FilledCache } from './compile-cache.ts';
import type { AgentConfig } from './configuration/config.ts';
import { PROBE_OPTIONS, type ProbeArguments } from './probe/arguments.ts';

// Modules are compiled once and not in every start; systemd names a folder that stays.
const cache = enableCompileCache(process.env['CACHE_DIRECTORY']).directory;

// Gateways are small. V8 would take what the machine has: young space stays small, and old space
// is collected before it grows by a quarter.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=25');

/** What the cache is made of, besides packages: those are JavaScript. */
const SOURCES = [import.meta.dirname, join(import.meta.dirname, '../../shared/src')];

/** As it stands in agent.example.yaml. */
const EXAMPLE_SECRET = 'change-me';

const CONFIG = ['--config <file>', 'configuration of the agent (YAML)'] as const;

/** The operator's console: one clear line, whatever went wrong. */
async function fail(error: unknown): Promise<void> {
  process.exitCode = 1;
  const { ConfigError } = await import('#shared/config-file.ts');
  const { Failure } = await import('#shared/failure.ts');
  if (error instanceof ConfigError || error instanceof Failure) console.error(error.message);
  else console.error(error);
}

function version(): string {
  const file = join(import.meta.dirname, '../../package.json');
  return String((JSON.parse(readFileSync(file, 'utf8')) as { version: unknown }).version);
}

/**
 * Some 20 MB less with a large outbox (`npm run bench -- agent`): each thread that allocates keeps a
 * heap of glibc for itself, and V8 has four of them to collect with.
 */
const LEAN = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '65536' };
const ONE_WORKER = '--v8-pool-size=1';

/**
 * Node takes 25 MB to strip types, and keeps them, unless it finds every module stripped and compiled
 * in its cache before it loads the first one. So an agent that is to run for years fills the cache
 * and starts itself anew, as the same process; where the cache is filled already, before it loads
 * anything, which saves a third of the processor's time at a start. Whoever sets NODE_COMPILE_CACHE
 * spares it that.
 */
function startAnew(folder: string): void {
  flushCompileCache();
  const args = [process.execPath, ONE_WORKER, ...process.execArgv, ...process.argv.slice(1)];
  const env = { ...process.env, ...LEAN, NODE_COMPILE_CACHE: folder };
  process.execve?.(process.execPath, args, env);
}

async function run(file: string): Promise<void> {
  const isFirst = process.env['NODE_COMPILE_CACHE'] === undefined;
  const filling = cache === undefined || !isFirst ? null : new FilledCache(cache, SOURCES);
  if (cache !== undefined && filling?.isFilled === true) startAnew(cache);
  const { startAgent } = await import('./agent.ts');
  const { readConfigFile } = await import('./configuration/config.ts');
  const config = readConfigFile(file);
  if (cache !== undefined && filling !== null) {
    filling.mark();
    startAnew(cache);
  }
  const running = startAgent(config, {
    version: version(),
    pid: process.pid,
    notifySocket: process.env['NOTIFY_SOCKET'],
    onFatal: (error) => {
      void fail(error);
      void running.stop();
    },
  });
  const stop = (): void => void running.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await running.stopped;
}

function describe(config: AgentConfig): string {
  const lines = config.links.flatMap((link) => [
    `link ${link.name}: ${link.protocol} at ${link.address}, answers within ${link.timeoutMs} ms`,
    ...link.scales.map((scale) => {
      const place =
        'unit' in scale ? `unit ${scale.unit}, ${scale.profile.name}` : 'the only scale';
      return `  bin ${scale.bin}: ${place}, every ${scale.pollMs} ms`;
    }),
    ...('sensors' in link ? link.sensors : []).map(
      ({ bin, unit, kind, pollMs }) => `  bin ${bin}: unit ${unit}, ${kind}, every ${pollMs} ms`,
    ),
  ]);
  const { agent, broker, dataDir } = config;
  return [`agent ${agent.id} to ${broker}, outbox in ${dataDir}`, ...lines].join('\n');
}

const program = new Command('agent')
  .description('Reads scales, keeps what they say on disk, and sends it to the cloud.')
  .showHelpAfterError();

program
  .command('run', { isDefault: true })
  .description('read the scales and send until stopped')
  .requiredOption(...CONFIG)
  .action(async ({ config }: { config: string }) => run(config));

program
  .command('backfill')
  .description("take over what an indicator's memory recorded, then exit; may be repeated")
  .requiredOption(...CONFIG)
  .requiredOption('--recording <file>', 'settled readings, one JSON line each')
  .action(async ({ config, recording }: { config: string; recording: string }) => {
    const { fillBack } = await import('./agent.ts');
    const { readConfigFile } = await import('./configuration/config.ts');
    await fillBack(readConfigFile(config), recording);
  });

program
  .command('check')
  .description('check the configuration, print what would be read, and exit')
  .requiredOption(...CONFIG)
  .action(async ({ config }: { config: string }) => {
    const { readConfig } = await import('./configuration/config.ts');
    const found = readConfig(config);
    console.log(describe(found));
    if (found.agent.secret === EXAMPLE_SECRET) {
      console.error(`warning: agent.secret is still ${EXAMPLE_SECRET}, as in the example`);
    }
  });

program
  .command('status')
  .description('ask the running agent how it is doing; exits with 1 where none is running')
  .requiredOption(...CONFIG)
  .option('--json', 'as JSON, for scripts')
  .action(async ({ config, json }: { config: string; json?: true }) => {
    const { readConfig } = await import('./configuration/config.ts');
    const { askStatus } = await import('./status/socket.ts');
    const { statusText } = await import('./status/text.ts');
    const report = await askStatus(readConfig(config).dataDir);
    console.log(json ? JSON.stringify(report, null, 2) : statusText(report));
  });

/** Questions go where the answers come from, so that the result alone is on standard output. */
async function findScale(options: ProbeArguments): Promise<void> {
  const { dialogue } = await import('./probe/dialogue.ts');
  const { probe } = await import('./probe/probe.ts');
  const { isSure, probeText } = await import('./probe/text.ts');
  const { profileNames } = await import('./scale/profile.ts');
  const { Failure } = await import('#shared/failure.ts');
  const address = options.serial ?? options.tcp;
  if (address === undefined) {
    const message = 'either --serial PATH or --tcp HOST:PORT';
    throw new Failure('no-address', message, { retry: 'never' });
  }
  const person = dialogue(process.stdin, process.stderr);
  const result = await probe({
    address,
    weightMg: options.weightG,
    units: options.units,
    profiles: options.profile.length > 0 ? options.profile : profileNames(),
    timeoutMs: options.timeoutMs,
    listenMs: 1_200,
    say: (line) => console.error(line),
    nextWeight: person.nextWeight,
  });
  person.close();
  console.log(probeText(result));
  if (!isSure(result)) process.exitCode = result.kind === 'nothing' ? 1 : 2;
}

const probing = program
  .command('probe')
  .description('find out how a scale speaks, with a known mass on it; changes nothing on it')
  .addHelpText('after', '\nExit: 0 found for sure, 2 found but not for sure, 1 nothing found.')
  .action(findScale);
for (const option of PROBE_OPTIONS) probing.addOption(option);

/** `run` would take a mistyped command for a word too many, and ask for its `--config` first. */
const [word = '--'] = process.argv.slice(2);
const known = ['help', ...program.commands.map((command) => command.name())];
if (!word.startsWith('-') && !known.includes(word)) {
  program.error(`unknown command '${word}': one of ${known.join(', ')}`);
}

try {
  await program.parseAsync();
} catch (error) {
  await fail(error);
}
