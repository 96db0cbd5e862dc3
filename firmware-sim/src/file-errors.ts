import { rename } from 'node:fs/promises';
import { Failure, messageOf } from '#shared/failure.ts';

/** @throws Failure `file` naming the file, for whatever went wrong with it */
export function fileFailure(file: string, cause: unknown): Failure {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const why =
    code === 'ENOENT'
      ? 'no such file'
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'no permission'
        : messageOf(cause);
  return new Failure('file', `${file}: ${why}`, { retry: 'never', cause });
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * Nothing is deleted: a file that cannot be used gets another name.
 * @returns that name; `null` where there is no such file
 */
export async function setAside(file: string, at: number): Promise<string | null> {
  const aside = `${file}.${new Date(at).toISOString().replaceAll(':', '')}.aside`;
  try {
    await rename(file, aside);
    return aside;
  } catch (error) {
    if (isMissing(error)) return null;
    throw fileFailure(file, error);
  }
}
