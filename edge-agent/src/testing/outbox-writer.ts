import { Outbox } from '../outbox/outbox.ts';
import { entries } from './entries.ts';

/**
 * Writes to an outbox until it is killed, saying on standard output what is committed:
 * `appended N` and `trimmed N`, both numbers of readings.
 */
const [, , folder = ''] = process.argv;
const outbox = new Outbox(folder, { stamp: 'x' });
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
let appended = [...outbox.newest().values()].reduce(
  (at, bin) => Math.max(at, bin.value ?? 0),
  4_999,
);
appended -= 4_999;
say(`found ${appended}`);
for (;;) {
  const size = 1 + (appended % 37);
  outbox.append(entries(appended, appended + size - 1));
  appended += size;
  say(`appended ${appended}`);
  outbox.seal(2, 50);
  const { receipted, sealed } = outbox.progress;
  if (sealed - receipted > 6) {
    outbox.trim(receipted + 2);
    say(`trimmed ${appended - outbox.backlog}`);
  }
}
