import { Failure, messageOf } from '#shared/failure.ts';

/** The cloud's API as the demo uses it: with the supplier's key, throwing what is refused. */
export class Api {
  readonly #base: string;
  readonly #key: string;

  /** @param base e.g. `http://127.0.0.1:8080` */
  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  async get<T>(path: string): Promise<T> {
    return (await this.#send('GET', path)).body as T;
  }

  /** Every item of a list, page after page. */
  async list<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { items: T[]; next: string | null } = await this.get(
        `${path}?limit=1000${query}`,
      );
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== null);
    return items;
  }

  async create<T>(path: string, body: object): Promise<T> {
    return (await this.#send('POST', path, body)).body as T;
  }

  /** Puts something in place of what is there. */
  async put<T>(path: string, body: object): Promise<T> {
    return (await this.#send('PUT', path, body)).body as T;
  }

  /** Creates what is not there yet. */
  async ensure(path: string, body: object): Promise<void> {
    await this.#send('POST', path, body, [409]);
  }

  async #send(
    method: string,
    path: string,
    body?: object,
    tolerated: readonly number[] = [],
  ): Promise<{ status: number; body: unknown }> {
    const what = `${method} ${path}`;
    let response: Response;
    try {
      response = await fetch(`${this.#base}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Failure('api-unreachable', `${what}: ${messageOf(error)}`, {
        retry: 'later',
        cause: error,
      });
    }
    if (!response.ok && !tolerated.includes(response.status)) {
      const text = await response.text();
      throw new Failure('api-refused', `${what}: ${response.status} ${text}`, { retry: 'never' });
    }
    return { status: response.status, body: await response.json() };
  }
}
