import { describe, expect, test } from 'vitest';
import { catalogue, optionsOf } from './catalogue.ts';

const UNIT = /_(per_s|mb|ms|percent|bytes|ratio|count|hours|s|ns)$/;

describe.each(await catalogue())('benchmark $name', (benchmark) => {
  test('runs in its small size and gives every figure it announces', async () => {
    const figures = await benchmark.run(optionsOf(benchmark, 'small'));
    expect(Object.keys(figures).toSorted()).toEqual(Object.keys(benchmark.figures).toSorted());
    for (const [name, value] of Object.entries(figures)) {
      expect(name).toMatch(UNIT);
      expect(value, name).toSatisfy(Number.isFinite);
    }
  });
});
