import type { Duplex } from 'node:stream';
import type { ScaleRead } from '../core/scale-read.ts';
import { agrees, type Codec, type Frame } from './frame.ts';
import { silence } from './line.ts';
import { Listener } from './listener.ts';
import { ASK_TARE, ASK_WEIGHT, mtSicsCodec, type Answer } from './mt-sics-codec.ts';
import type { ScaleSession } from './port.ts';

export interface MtSicsOptions {
  readonly timeoutMs: number;
  /** `asked`: the scale shows net once it is tared, so the tare is asked for and added. */
  readonly tare: 'asked' | 'locked';
}

export interface SicsScale {
  readonly divisionMg: number;
}

/** MT-SICS over an open line; one balance a line. */
export function openMtSics(line: Duplex, options: MtSicsOptions): ScaleSession<SicsScale> {
  return new MtSicsSession(line, options);
}

/** Weight and tare are two answers; a tare that is changed between them is seen by the next. */
class MtSicsSession implements ScaleSession<SicsScale> {
  readonly #line: Duplex;
  readonly #options: MtSicsOptions;
  readonly #codec: Codec<Answer> = mtSicsCodec();
  readonly #listener: Listener<Answer>;
  #newest: Frame | null = null;
  /** The tare that was last answered, as long as nothing went wrong since. */
  #tare: ScaleRead | null = null;

  constructor(line: Duplex, options: MtSicsOptions) {
    this.#line = line;
    this.#options = options;
    const { timeoutMs } = options;
    this.#listener = new Listener(line, this.#codec, { timeoutMs, idle: () => undefined });
  }

  async read(scale: SicsScale): Promise<ScaleRead> {
    if (this.#options.tare === 'locked') return this.#weight(scale);
    // Also a fence: answers come in order, so no late weight comes after the answer to this.
    this.#tare ??= await this.#askTare();
    if (!this.#tare.ok) return this.#forget(this.#tare);
    const weight = await this.#weight(scale);
    if (!weight.ok) return weight;
    const before = this.#tare.massMg;
    const tare = await this.#askTare();
    if (!tare.ok) return this.#forget(tare);
    this.#tare = tare;
    if (tare.massMg !== before) return CHANGED_TARE;
    return { ...weight, massMg: weight.massMg + tare.massMg };
  }

  /** An answer that comes late is one line; after it the line is silent. */
  async drain(): Promise<void> {
    const { timeoutMs } = this.#options;
    await silence(this.#line, { quietMs: timeoutMs, longestMs: 3 * timeoutMs });
    this.#codec.clear();
    this.#newest = null;
    this.#tare = null;
  }

  close(): void {
    this.#line.destroy();
  }

  #forget(fault: ScaleRead): ScaleRead {
    this.#tare = null;
    return fault;
  }

  /** A weight that the one before does not confirm is asked for once more. */
  #weight({ divisionMg }: SicsScale): Promise<ScaleRead> {
    let contested: ScaleRead | null = null;
    const ask = (): void => void this.#line.write(ASK_WEIGHT);
    return this.#listener.until<ScaleRead>(
      (answers) => {
        const answer = answers.findLast(({ kind }) => kind !== 'tare');
        if (answer === undefined || answer.kind === 'tare') return null;
        if (answer.kind === 'error') return faultOf(answer, 'SI');
        const { frame } = answer;
        const before = this.#newest;
        this.#newest = frame;
        if (!frame.read.ok || (before !== null && agrees(before, frame, { divisionMg }))) {
          return frame.read;
        }
        contested = CONTRADICTING;
        ask();
        return null;
      },
      { ask, contested: () => contested },
    );
  }

  #askTare(): Promise<ScaleRead> {
    return this.#listener.until<ScaleRead>(
      (answers) => {
        const answer = answers.findLast(({ kind }) => kind !== 'weight');
        if (answer?.kind === 'tare') return answer.read;
        return answer?.kind === 'error' ? faultOf(answer, 'TA') : null;
      },
      { ask: () => void this.#line.write(ASK_TARE), contested: () => null },
    );
  }
}

/** A level 0 scale does not know `TA`: nobody can ask it whether it shows gross. */
function faultOf(answer: Extract<Answer, { kind: 'error' }>, command: 'SI' | 'TA'): ScaleRead {
  const advice = command === 'TA' ? '; lock its tare key and set tare: locked' : '';
  const why = `${answer.why} ${command}${answer.quality === 'config-error' ? advice : ''}`;
  return { ok: false, quality: answer.quality, why };
}

const CHANGED_TARE: ScaleRead = {
  ok: false,
  quality: 'comm-error',
  why: 'the tare was changed while the scale was read',
};

const CONTRADICTING: ScaleRead = {
  ok: false,
  quality: 'comm-error',
  why: 'what the scale sends contradicts itself; check the wiring, speed and parity',
};
