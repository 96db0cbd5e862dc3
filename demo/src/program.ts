import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure } from '#shared/failure.ts';

const LEASH = new URL('./leash.ts', import.meta.url).href;
/** How long a program may take to close after it was asked to. */
const STOP_DEADLINE_MS = 10_000;

export interface ProgramOptions {
  readonly name: string;
  readonly args: readonly string[];
  /** Everything the program prints goes here. */
  readonly logFile: string;
}

/**
 * A program of ours that runs beside us, and stops when we are gone. Its output goes to a log file;
 * the last line it wrote to standard error is what we tell when it fails.
 */
export class Program {
  readonly name: string;
  /** Settles when the program has ended: undefined after a clean exit or a requested stop. */
  readonly ended: Promise<Failure | undefined>;
  /** Settles when the program says that it is ready, or has ended. */
  readonly #ready: Promise<boolean>;
  readonly #child: ChildProcess;
  #stopping = false;

  constructor({ name, args, logFile }: ProgramOptions) {
    this.name = name;
    this.#child = spawn(process.execPath, ['--import', LEASH, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const log = createWriteStream(logFile, { flags: 'a' });
    let complaint = '';
    const ready = Promise.withResolvers<boolean>();
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('the child was spawned with pipes');
    createInterface({ input: stdout }).on('line', (line) => {
      log.write(`${line}\n`);
      if (line.includes('"msg":"ready"')) ready.resolve(true);
    });
    createInterface({ input: stderr }).on('line', (line) => {
      log.write(`${line}\n`);
      if (line.trim() !== '') complaint = line.trim();
    });
    this.ended = once(this.#child, 'close').then(([code, signal]) => {
      log.end();
      ready.resolve(false);
      if (code === 0 || this.#stopping) return undefined;
      const what = complaint === '' ? `ended with ${String(code ?? signal)}` : complaint;
      return new Failure('program-ended', `${name}: ${what} (log: ${logFile})`, { retry: 'never' });
    });
    this.#ready = ready.promise;
  }

  /** @throws Failure with the program's own complaint where it ends before it is ready */
  async ready(): Promise<void> {
    if (await this.#ready) return;
    throw (await this.ended) ?? this.#unready();
  }

  /**
   * Waits for a program that does its work and ends.
   * @throws Failure where the program failed, or was stopped before its work was done
   */
  async done(): Promise<void> {
    const failure = await this.ended;
    if (failure !== undefined) throw failure;
    if (this.#child.exitCode === 0) return;
    throw new Failure('program-ended', `${this.name}: stopped amid its work`, { retry: 'now' });
  }

  /** Asks the program to close, and ends it where it does not within the deadline. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await this.ended;
    clearTimeout(deadline);
  }

  /** Ends the program at once, as a power cut would. */
  async kill(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #unready(): Failure {
    return new Failure('program-ended', `${this.name}: ended before it was ready`, {
      retry: 'never',
    });
  }
}
