import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { ConfigError } from '#shared/config-file.ts';
import { Failure } from '#shared/failure.ts';
import { startAgent, fillBack, type Running } from './agent.ts';
import { readConfig, type AgentConfig } from './config.ts';

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

async function run(config: AgentConfig): Promise<void> {
  const running: Running = startAgent(config, {
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
