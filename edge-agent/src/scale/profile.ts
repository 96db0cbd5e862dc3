import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Failure, messageOf } from '#shared/failure.ts';
import { parseProfile, type RegisterProfile } from '#shared/profile.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/profiles');
const SUFFIX = '.yaml';

/** Names of the profiles that come along; each is a file of this name. */
export const profileNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => basename(file, SUFFIX))
    .toSorted();

/** A user's own profile is named by its path: it has a slash or ends like a YAML file. */
const isPath = (name: string): boolean => /[/\\]|\.ya?ml$/.test(name);

/**
 * @param name of a profile that comes along, or the path of a user's own
 * @param folder what a relative path is relative to
 * @throws ConfigError where the profile is not a valid one, Failure where there is none
 */
export function loadProfile(name: string, folder = '.'): RegisterProfile {
  if (!isPath(name) && !profileNames().includes(name)) {
    const expected = `one of ${profileNames().join(', ')}, or the path of a profile of your own`;
    throw new Failure('profile-unknown', expected, { retry: 'never' });
  }
  const file = isPath(name) ? resolve(folder, name) : join(FOLDER, `${name}${SUFFIX}`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const message = `a profile that can be read: ${messageOf(error)}`;
    throw new Failure('profile-unreadable', message, { retry: 'never', cause: error });
  }
  return parseProfile(file, text);
}
