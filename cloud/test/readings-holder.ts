/** A program of its own: appends 1,000 readings to a file and waits to be killed. */
import process from 'node:process';
import { binId } from '#shared/ids.ts';
import { openSqliteReadings } from '../src/readings/sqlite.ts';

const [, , file] = process.argv;
if (file === undefined) throw new Error('expected a file');
const store = openSqliteReadings(file);
const still = { unit: 'mg', samples: 1, spread: 0, quality: 'good', synced: true } as const;
await store.append(
  Array.from({ length: 1_000 }, (_, at) => ({ bin: binId('a1'), at, value: at, ...still })),
);
process.send?.('appended');
setInterval(() => {}, 60_000);
