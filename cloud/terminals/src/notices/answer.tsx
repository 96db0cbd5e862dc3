import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { LoadingRows } from './loading-rows.tsx';
import { ProblemNotice } from './problem-notice.tsx';

type Asked<T> = Pick<
  UseQueryResult<T>,
  'data' | 'error' | 'isPending' | 'refetch' | 'dataUpdatedAt'
>;

/**
 * What the API answered, while it is asked a skeleton, and where it fails the problem. An answer
 * once given stays below the problem: it is old, and its age says so.
 */
export function Answer<T>({
  of: query,
  children,
}: {
  readonly of: Asked<T>;
  readonly children: (data: T) => ReactNode;
}) {
  return (
    <>
      {query.error !== null && (
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      )}
      {query.data !== undefined && children(query.data)}
      {query.isPending && query.error === null && <LoadingRows />}
    </>
  );
}
