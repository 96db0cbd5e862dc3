import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** One line of the simulator's truth log. */
const eventSchema = z.object({
  at: z.int(),
  bin: z.string(),
  product: z.string(),
  kind: z.string(),
  /** Change of stock, pieces or mg. */
  quantity: z.int(),
});
export type TruthEvent = z.infer<typeof eventSchema>;

/** What really was taken and refilled in [from, to), ms since 1970. */
export async function readTruth(file: string, from: number, to: number): Promise<TruthEvent[]> {
  const events: TruthEvent[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const event = eventSchema.parse(JSON.parse(line));
    if (event.at >= from && event.at < to) events.push(event);
  }
  return events;
}
