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

/** Nothing is deleted: a file that cannot be used gets another name, which is returned. */
export async function setAside(file: string, at: number): Promise<string> {
  const aside = `${file}.${new Date(at).toISOString().replaceAll(':', '')}.aside`;
  await rename(file, aside).catch((error: unknown) => {
    throw fileFailure(file, error);
  });
  return aside;
}
