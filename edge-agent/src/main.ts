import { readFileSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import type { AgentConfig } from './config.ts';

// Modules are compiled once and not in every start.
const cache = enableCompileCache().directory;

// Gateways are small. V8 would take what the machine has: young space stays small, and old space
// is collected before it grows by a quarter.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=25');

const { startAgent, fillBack } = await import('./agent.ts');
const { readConfig } = await import('./config.ts');
const { ConfigError } = await import('#shared/config-file.ts');
const { Failure } = await import('#shared/failure.ts');

const CONFIG = ['--config <file>', 'configuration of the agent (YAML)'] as const;

/** The operator's console: one clear line, whatever went wrong. */
function fail(error: unknown): void {
  if (error instanceof ConfigError || error instanceof Failure) console.error(error.message);
  else console.error(error);
  process.exitCode = 1;
}

function version(): string {
  const file = join(import.meta.dirname, '../../package.json');
  return String((JSON.parse(readFileSync(file, 'utf8')) as { version: unknown }).version);
}

/**
 * Node takes 25 MB to strip types, and keeps them, unless it finds every module stripped and compiled
 * in its cache before it loads the first one. So an agent that is to run for years fills the cache
 * and starts itself anew, as the same process. Whoever sets NODE_COMPILE_CACHE spares it that.
 */
function startAnew(): void {
  if (cache === undefined || process.execve === undefined) return;
  if (process.env['NODE_COMPILE_CACHE'] !== undefined) return;
  flushCompileCache();
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { ...process.env, NODE_COMPILE_CACHE: cache });
}

async function run(config: AgentConfig): Promise<void> {
  startAnew();
  const running = startAgent(config, {
    version: version(),
    onFatal: (error) => {
      fail(error);
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
      const place = 'unit' in scale ? `unit ${scale.unit}, ${scale.profile}` : 'the only scale';
      return `  bin ${scale.bin}: ${place}, every ${scale.pollMs} ms`;
    }),
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
  .action(async ({ config }: { config: string }) => run(readConfig(config)));

program
  .command('backfill')
  .description("take over what an indicator's memory recorded, then exit; may be repeated")
  .requiredOption(...CONFIG)
  .requiredOption('--recording <file>', 'settled readings, one JSON line each')
  .action(async ({ config, recording }: { config: string; recording: string }) => {
    await fillBack(readConfig(config), recording);
  });

program
  .command('check')
  .description('check the configuration, print what would be read, and exit')
  .requiredOption(...CONFIG)
  .action(({ config }: { config: string }) => console.log(describe(readConfig(config))));

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
