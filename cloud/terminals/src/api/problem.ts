import type { Problem } from '../../../src/http/contract.ts';

/** What the person can do about it. */
export type ProblemKind =
  'unreachable' | 'key' | 'forbidden' | 'missing' | 'busy' | 'ours' | 'asked';

/** The API's refusal or fault; `problem` is null where nothing of the API answered. */
export class ApiProblem extends Error {
  readonly kind: ProblemKind;
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, cause?: unknown) {
    super(problem?.detail ?? problem?.title ?? `HTTP status ${status}`, { cause });
    this.name = 'ApiProblem';
    this.kind = kindOf(status);
    this.status = status;
    this.problem = problem;
  }
}

/** Status 0: no answer at all. */
export function kindOf(status: number): ProblemKind {
  if (status === 0 || status === 502 || status === 503 || status === 504) return 'unreachable';
  if (status === 401) return 'key';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'missing';
  if (status === 429) return 'busy';
  return status >= 500 ? 'ours' : 'asked';
}

/** Whether the same question may get an answer later. */
export const mayPass = (error: unknown): boolean =>
  error instanceof ApiProblem && ['unreachable', 'busy', 'ours'].includes(error.kind);

/** The problem an answer carries, whatever stands between the terminal and the API. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const type = response.headers.get('content-type') ?? '';
  const text = await response.text();
  if (!type.includes('json')) return new ApiProblem(response.status, null);
  try {
    return new ApiProblem(response.status, JSON.parse(text) as Problem);
  } catch (error) {
    return new ApiProblem(response.status, null, error);
  }
}
