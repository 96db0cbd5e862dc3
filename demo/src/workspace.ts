import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ID_PATTERN } from '#shared/ids.ts';

const stateSchema = z.object({
  /** Secrets of the agents, by id; the cloud shows each only once. */
  agents: z.record(z.string().regex(ID_PATTERN), z.string()),
  /** API keys made for the terminals, by the customer's id. */
  customerKeys: z.record(z.string().regex(ID_PATTERN), z.string()),
  /** Agents whose backlog is in their outbox. */
  backfilled: z.array(z.string().regex(ID_PATTERN)),
});
type WorkspaceState = z.infer<typeof stateSchema>;

/** The demo's folder: what each program keeps, its configuration and its log. */
export class Workspace {
  readonly folder: string;
  readonly state: WorkspaceState;

  /** @throws Error where the folder cannot be made or its state cannot be read */
  constructor(folder: string) {
    this.folder = folder;
    for (const part of ['config', 'logs']) mkdirSync(join(folder, part), { recursive: true });
    this.state = this.#load();
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** What an agent's scales logged before it was there; has this name only when it is whole. */
  recording(agent: string): string {
    return this.path('recordings', `${agent}.recording.jsonl`);
  }

  /** Whether an agent's history is in its outbox, or lies ready for it. */
  hasHistory(agent: string): boolean {
    return this.state.backfilled.includes(agent) || existsSync(this.recording(agent));
  }

  /** Written aside and renamed, so that there is always one whole state. */
  save(): void {
    writeAside(this.path('demo.json'), `${JSON.stringify(this.state, null, 2)}\n`);
  }

  writeConfig(name: string, content: string): string {
    const file = this.path('config', name);
    writeAside(file, content);
    return file;
  }

  #load(): WorkspaceState {
    const file = this.path('demo.json');
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return { agents: {}, customerKeys: {}, backfilled: [] };
    }
    try {
      return stateSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(`${file} is damaged; remove ${this.folder} to begin anew`, { cause: error });
    }
  }
}

/** Holds secrets: readable by its owner only. */
function writeAside(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
}
