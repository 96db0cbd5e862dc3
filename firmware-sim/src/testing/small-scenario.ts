import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseScenario, type Scenario } from '../scenario/scenario.ts';

const SCENARIOS = fileURLToPath(new URL('../../scenarios/', import.meta.url));

export function scenarioText(name: 'demo' | 'small' | 'devices' | 'load-cell'): string {
  return readFileSync(`${SCENARIOS}${name}.yaml`, 'utf8');
}

/** The bench scenario with ports chosen by the system and very fast lines. */
export function smallText(): string {
  return scenarioText('small')
    .replaceAll(/port: \d+/g, 'port: 0')
    .replaceAll('baud: 9600', 'baud: 115200');
}

export function smallScenario(): Scenario {
  return parseScenario('small.yaml', smallText());
}
