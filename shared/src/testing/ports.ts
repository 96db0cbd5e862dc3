import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that a system hands out by itself (Linux: from 32,768 on), so that no connection
 * or listener of another test is given one between its choice and its use.
 */
const FIRST_PORT = 10_000;
const PORTS_A_LANE = 1_250;
/** Tests that run at the same time choose from different lanes. */
const LANES = 16;

const lane = Number(process.env['VITEST_POOL_ID'] ?? 0) % LANES;
let next = Math.floor(Math.random() * PORTS_A_LANE);

/** A port that nothing listens on, and that this process gives to nobody else. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS_A_LANE; tried += 1) {
    next = (next + 1) % PORTS_A_LANE;
    const port = FIRST_PORT + lane * PORTS_A_LANE + next;
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.listen(port, '127.0.0.1');
  if (!(await listening)) return false;
  server.close();
  await once(server, 'close');
  return true;
}
