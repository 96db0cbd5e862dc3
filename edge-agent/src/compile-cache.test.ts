import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FilledCache } from './compile-cache.ts';
import { freshFolder } from './testing/folder.ts';

test('a cache is full until a source changes, and what cannot be kept harms nobody', () => {
  const [cache, sources] = [freshFolder(), freshFolder()];
  mkdirSync(join(sources, 'core'));
  const file = join(sources, 'core', 'turns.ts');
  writeFileSync(file, '');
  expect(new FilledCache(cache, [sources]).isFilled).toBe(false);
  new FilledCache(cache, [sources]).mark();
  expect(new FilledCache(cache, [sources]).isFilled).toBe(true);
  utimesSync(file, 4_000_000_000, 4_000_000_000);
  expect(new FilledCache(cache, [sources]).isFilled).toBe(false);

  const nowhere = join(cache, 'no', 'folder');
  expect(() => new FilledCache(nowhere, [sources]).mark()).not.toThrow();
  expect(new FilledCache(nowhere, [sources]).isFilled).toBe(false);
});
