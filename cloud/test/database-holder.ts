/** A program of its own: opens the database of a folder, commits a row and waits to be killed. */
import process from 'node:process';
import { customerId } from '#shared/ids.ts';
import { openPglite } from '../src/database/pglite.ts';

const [, , folder] = process.argv;
if (folder === undefined) throw new Error('expected a folder');
const database = await openPglite(folder);
const row = { id: customerId('acme'), name: 'committed before the kill' };
await database.sql.insertInto('customer').values(row).execute();
process.send?.('open');
setInterval(() => {}, 60_000);
