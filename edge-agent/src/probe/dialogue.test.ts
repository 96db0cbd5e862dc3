import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { dialogue } from './dialogue.ts';

function person(...lines: string[]): { input: PassThrough; output: PassThrough } {
  const input = new PassThrough();
  for (const line of lines) input.write(`${line}\n`);
  return { input, output: new PassThrough() };
}

test('a mass in grams comes back in milligrams', async () => {
  const { input, output } = person('12.5');
  expect(await dialogue(input, output).nextWeight('why')).toBe(12_500);
});

test('an answer that is no mass is told so and asked for again', async () => {
  const { input, output } = person('5 kg', '5000');
  const asked = dialogue(input, output);
  expect(await asked.nextWeight('why')).toBe(5_000_000);
  asked.close();
  output.end();
  expect(await text(output)).toContain('5 kg is not a mass in grams');
});

test('an empty answer means that there is no other mass', async () => {
  const { input, output } = person('');
  expect(await dialogue(input, output).nextWeight('why')).toBeNull();
});

test('where nobody is there, nobody is asked, not even after the input has ended', async () => {
  const { input, output } = person();
  const asked = dialogue(input, output);
  input.end();
  expect(await asked.nextWeight('why')).toBeNull();
  expect(await asked.nextWeight('why')).toBeNull();
});
