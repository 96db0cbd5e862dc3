import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NO_VERSIONS, proved, tried, type ConfigVersions } from '../core/config-versions.ts';
import { freshFolder } from '../testing/folder.ts';
import { VersionsFile } from './versions-file.ts';

const versions: ConfigVersions = proved(
  tried(NO_VERSIONS, { version: 3, config: { links: [{ address: '10.0.0.7:502' }] } }, 1),
  2,
);

function written(): { folder: string; path: string; bytes: Buffer } {
  const folder = freshFolder();
  new VersionsFile(folder).write(versions);
  const path = join(folder, 'remote-config.json');
  return { folder, path, bytes: readFileSync(path) };
}

test('what was written is read, and nothing else is left in the folder', () => {
  const { folder } = written();
  expect(new VersionsFile(folder).read('now')).toEqual({ versions, damage: null });
  expect(readdirSync(folder)).toEqual(['remote-config.json']);
});

test('without a file there are no versions, and no damage', () => {
  expect(new VersionsFile(freshFolder()).read('now')).toEqual({
    versions: NO_VERSIONS,
    damage: null,
  });
});

test('a file that is cut off or flipped at any byte is set aside, never half believed', () => {
  const { folder, path, bytes } = written();
  const file = new VersionsFile(folder);
  const end = bytes.length - 1;
  for (let at = 0; at < end; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8((bytes[at] ?? 0) ^ 0x04, at);
    for (const damaged of [bytes.subarray(0, at), flipped]) {
      writeFileSync(path, damaged);
      const { versions: read, damage } = file.read('now');
      expect({ at, read }).toEqual({ at, read: NO_VERSIONS });
      expect(damage?.setAside).toBe(`${path}.corrupt-now`);
      expect(readFileSync(`${path}.corrupt-now`)).toEqual(damaged);
    }
  }
  file.write(versions);
  expect(file.read('now')).toEqual({ versions, damage: null });
});
