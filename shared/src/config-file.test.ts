import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, parseConfig } from './config-file.ts';

const schema = z
  .object({
    name: z.string(),
    port: z.int().min(1).max(65_535),
    links: z.array(z.object({ baud: z.union([z.literal(9_600), z.literal(19_200)]) }).strict()),
  })
  .strict();

function faultsOf(text: string, expected: z.ZodType = schema): string[] {
  try {
    parseConfig('agent.yaml', text, expected);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a configuration', () => {
  test('that is right comes back frozen', () => {
    const config = parseConfig('a.yaml', 'name: x\nport: 1\nlinks: [{ baud: 9600 }]', schema);
    expect(config).toEqual({ name: 'x', port: 1, links: [{ baud: 9_600 }] });
    expect(Object.isFrozen(config.links[0])).toBe(true);
  });

  test('shows all its faults at once, each with file, line, key, value and what was expected', () => {
    expect(faultsOf('port: 0\nlinks:\n  - baud: 9600\n  - baud: 9601\n    parity: even\n')).toEqual(
      [
        'agent.yaml:1: name: missing; expected a value of type string',
        'agent.yaml:1: port: is 0; expected at least 1',
        'agent.yaml:4: links.1.baud: is 9601; expected 9600 or 19200',
        'agent.yaml:5: links.1.parity: is "even"; expected no such key',
      ],
    );
  });

  test('that is no YAML says where and why', () => {
    expect(faultsOf('name: x\nlinks:\n\t- baud: 9600\n')).toEqual([
      'agent.yaml:3: Tabs are not allowed as indentation; expected valid YAML',
    ]);
    expect(faultsOf('name: x\nport: 1\nname: y\n')).toEqual([
      'agent.yaml:3: Map keys must be unique; expected valid YAML',
    ]);
  });

  test('that would unfold to more than memory holds is refused', () => {
    // Each list holds the one before nine times.
    const lists = Array.from(
      { length: 8 },
      (_, n) => `l${n}: &l${n} [${(n === 0 ? 'x, ' : `*l${n - 1}, `).repeat(9)}]`,
    );
    expect(faultsOf(lists.join('\n'))).toEqual([
      expect.stringMatching(/^agent\.yaml:1: Excessive alias count .*; expected valid YAML$/),
    ]);
  });

  test('shows no secret, no section that may hold one, and no more of a value than tells which', () => {
    const secret = z.strictObject({ secret: z.string() });
    const agent = z.strictObject({ agent: secret });
    const said = (text: string): string => faultsOf(text, agent).join();
    expect(said('agent: { secret: 4711 }')).toContain('agent.secret: is of type number; expected');
    expect(said('agent: [4711]')).toContain('agent: is a list; expected');
    expect(said('4711')).toContain('agent.yaml:1: is of type number; expected');
    expect(said('agent: {secret: x}\nagents: {secret: 4711}')).not.toContain('4711');
    expect(said('agent: { secret: 4711')).not.toContain('4711');
    expect(said(`agent: { secret: x, key: ${'y'.repeat(1_000)} }`)).toMatch(/ is "y{79}…; /);
  });

  test('of which a part may have several forms tells the faults of the form that was meant', () => {
    const scale = z.strictObject({ bin: z.string(), noise: z.number() });
    const sensor = z.strictObject({ bin: z.string(), kind: z.enum(['count', 'level']) });
    const part = z.strictObject({ scales: z.array(z.union([scale, sensor])) });
    const said = (text: string): string => faultsOf(text, part).join();
    expect(said('scales:\n  - bin: a\n    noise: much')).toBe(
      'agent.yaml:3: scales.0.noise: is "much"; expected a value of type number',
    );
    expect(said('scales:\n  - bin: a\n    kind: colour')).toBe(
      'agent.yaml:3: scales.0.kind: is "colour"; expected one of count, level',
    );
    expect(said('scales: [a]')).toBe(
      'agent.yaml:1: scales.0: is "a"; expected a value of type object',
    );
  });

  test('that is empty misses every key', () => {
    expect(faultsOf('')).toHaveLength(3);
  });
});
