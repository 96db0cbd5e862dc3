import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from 'node:process';

const MARK = 'offtake-agent-filled';

/**
 * Whether Node's cache of compiled modules holds all of a program's. A wrong answer costs time or
 * memory and nothing else: what is missing is compiled again.
 */
export class FilledCache {
  readonly #mark: string;
  readonly #stamp: string;

  /** @param sources folders of the program's modules; what is changed there makes the cache an old one */
  constructor(folder: string, sources: readonly string[]) {
    this.#mark = join(folder, MARK);
    this.#stamp = `${version} ${newestChange(sources)}`;
  }

  get isFilled(): boolean {
    try {
      return readFileSync(this.#mark, 'utf8') === this.#stamp;
    } catch {
      // Not there yet, or nobody's to read.
      return false;
    }
  }

  /** To be called when every module was loaded. */
  mark(): void {
    try {
      writeFileSync(this.#mark, this.#stamp);
    } catch {
      // A folder that cannot be written holds no cache either.
    }
  }
}

/** When the newest of the files was changed, ms since 1970 UTC. */
function newestChange(folders: readonly string[]): number {
  return Math.max(
    ...folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
        (name) => statSync(join(folder, name)).mtimeMs,
      ),
    ),
  );
}
