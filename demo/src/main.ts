import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { messageOf } from '#shared/failure.ts';
import { parseScenario } from '../../firmware-sim/src/scenario/scenario.ts';
import { Demo } from './demo.ts';
import { Workspace } from './workspace.ts';

const HTTP_PORT = 8080;
const DATA = 'data';

function port(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number;
  throw new InvalidArgumentError('expected a port, 1 to 65535');
}

interface Options {
  readonly http: number;
  readonly broker: number;
  readonly data: string;
  readonly scenario: string;
}

const program = new Command('start')
  .description(
    'Runs the whole loop on this machine: simulated scales at a supplier and three customers, ' +
      'an edge agent per site, and the cloud with its terminals.',
  )
  .option('--http <port>', 'port of the API and the terminals', port, HTTP_PORT)
  .option('--broker <port>', 'port of the MQTT broker', port, 1883)
  .option('--data <folder>', 'where everything is kept; remove it to begin anew', DATA)
  .option('--scenario <file>', 'what is simulated', 'firmware-sim/scenarios/demo.yaml');

/** One line that is written over on a terminal, and a line for every tenth elsewhere. */
function progressLine(): (text: string, share: number) => void {
  let told = -1;
  return (text, share) => {
    const percent = Math.min(100, Math.max(0, Math.round(share * 100)));
    const step = process.stdout.isTTY ? percent : Math.floor(percent / 10) * 10;
    if (step <= told) return;
    told = step;
    const end = !process.stdout.isTTY || percent === 100 ? '\n' : '\r';
    process.stdout.write(`${text}: ${step} %${end}`);
  };
}

/** The command as it has to be typed for this demo. */
function compareCommand(url: string, data: string): string {
  const options = [
    ...(data === DATA ? [] : ['--data', data]),
    ...(url === `http://127.0.0.1:${HTTP_PORT}` ? [] : ['--url', url]),
  ];
  return ['npm run compare', ...(options.length === 0 ? [] : ['--', ...options])].join(' ');
}

interface Invitation {
  readonly url: string;
  readonly data: string;
  readonly key: string;
  /** Name and API key of each. */
  readonly customers: readonly (readonly [string, string])[];
}

function invitation({ url, data, key, customers }: Invitation): string {
  const terminals = customers.map(
    ([name, customerKey]) => `  ${url}/customer/#key=${customerKey}   ${name}`,
  );
  return [
    '',
    'Offtake runs. Look at',
    `  ${url}/company/#key=${key}   the company terminal`,
    ...terminals,
    `  ${url}/api/v1/openapi.json   the API; its key: ${key}`,
    `${compareCommand(url, data)} sets what the scales saw beside what really happened.`,
    'Stop with Ctrl-C; what was measured stays, and npm start goes on from there.',
  ].join('\n');
}

async function run({ http, broker, data, scenario: file }: Options): Promise<void> {
  const began = performance.now();
  const scenarioFile = resolve(file);
  const scenario = parseScenario(file, readFileSync(scenarioFile, 'utf8'));
  const workspace = new Workspace(resolve(data));
  const demo = new Demo({
    workspace,
    scenario,
    scenarioFile,
    ports: { http, broker },
    say: (text) => console.log(text),
    progress: progressLine(),
  });
  const interrupted = Promise.withResolvers<'interrupted'>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interrupted.resolve('interrupted'));
  }
  const running = async (): Promise<never> => {
    const key = await demo.start();
    const customers = scenario.customers.map(
      ({ id, name }) => [name, workspace.state.customerKeys[id] ?? ''] as const,
    );
    console.log(invitation({ url: demo.url, data, key, customers }));
    console.log(`(ready after ${Math.round((performance.now() - began) / 1000)} s)`);
    return demo.failed();
  };
  try {
    await Promise.race([running(), interrupted.promise]);
    console.log('\nstopping');
  } finally {
    await demo.stop();
  }
}

program.parse();
try {
  await run(program.opts<Options>());
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
