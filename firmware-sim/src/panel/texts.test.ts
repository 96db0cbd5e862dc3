import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULT_KIND_NAMES } from '../core/faults.ts';

type Texts = Record<'en' | 'zh', Record<string, string>>;

test('both languages say everything, and every fault has a Chinese name', async () => {
  const file: string = new URL('texts.js', import.meta.url).href;
  const { TEXTS } = (await import(file)) as { TEXTS: Texts };
  const keys = Object.keys(TEXTS.en);
  expect(keys.filter((key) => !TEXTS.zh[key])).toEqual([]);
  expect(FAULT_KIND_NAMES.filter((kind) => !TEXTS.zh[kind])).toEqual([]);
  const html = readFileSync(new URL('index.html', import.meta.url), 'utf8');
  const used = [...html.matchAll(/data-text="(\w+)"/g)].map((match) => match[1] ?? '');
  expect(used.filter((key) => !keys.includes(key))).toEqual([]);
});
