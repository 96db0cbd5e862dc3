import { createInterface } from 'node:readline';
import { milligrams } from './arguments.ts';

/** The person at the scale, asked line by line. */
export interface Dialogue {
  /** @returns another known mass, mg; `null` where nobody is there, or there is none */
  readonly nextWeight: (why: string) => Promise<number | null>;
  readonly close: () => void;
}

/** An answer that is no mass is asked for again: a slip must not lose what was measured so far. */
export function dialogue(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Dialogue {
  const lines = createInterface({ input });
  // An iterator keeps what was typed ahead, and knows of an end that came before the first question.
  const answers = lines[Symbol.asyncIterator]();
  return {
    nextWeight: async (why) => {
      for (;;) {
        output.write(`${why}: put another known mass on and say its grams (Enter: none): `);
        const answer = await answers.next();
        if (answer.done === true || answer.value.trim() === '') return null;
        const massMg = milligrams(answer.value);
        if (massMg !== null) return massMg;
        output.write(`${answer.value} is not a mass in grams\n`);
      }
    },
    close: () => lines.close(),
  };
}
