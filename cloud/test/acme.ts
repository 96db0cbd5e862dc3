import type { Reading } from '#shared/reading.ts';
import { HOUR_MS, MG_PER_KG, MINUTE_MS, SECOND_MS } from '#shared/units.ts';
import { settled } from './agent-at-work.ts';

export const TARE_MG = 250_000;
export const SCREW_MG = 2_000;

/** Two customers, a bin of pieces, one of bulk, one never heard of, and one of our own; @returns the key of a customer. */
export async function enterMasterData(
  post: <T>(path: string, body: object) => Promise<T>,
): Promise<string> {
  for (const customer of [
    { id: 'acme', name: 'Acme Drives' },
    { id: 'rival', name: 'Rival Motors' },
  ]) {
    await post('/customers', customer);
  }
  const timeZone = 'Europe/Berlin';
  for (const site of [
    { id: 'acme-north', name: 'Hall North', customerId: 'acme', timeZone },
    { id: 'rival-east', name: 'Hall East', customerId: 'rival', timeZone },
    { id: 'warehouse', name: 'Our warehouse', customerId: null, timeZone },
  ]) {
    await post('/sites', site);
  }
  await post('/products', { id: 'm4', name: 'Screw M4', unit: 'piece', pieceMassMg: SCREW_MG });
  await post('/products', { id: 'pa6', name: 'Pellets', unit: 'mg', pieceMassMg: null });
  const bin = (id: string, name: string, siteId: string, productId: string) =>
    post('/bins', { id, name, siteId, productId, capacityMg: 10 * MG_PER_KG, tareMg: TARE_MG });
  await bin('screws', 'Rack A1', 'acme-north', 'm4');
  await bin('pellets', 'Silo 1', 'acme-north', 'pa6');
  await bin('silent', 'Rack A2', 'acme-north', 'm4');
  await bin('rival-screws', 'Rack R1', 'rival-east', 'm4');
  await bin('own-screws', 'Rack W1', 'warehouse', 'm4');
  const { key } = await post<{ key: string }>('/keys', {
    name: 'Acme purchasing',
    role: 'customer',
    customerId: 'acme',
  });
  return key;
}

/** Ends long enough ago for what happens after it to last, and soon enough not to be late. */
const HISTORY_ENDS_MS = 5 * MINUTE_MS;

/** Two hours of a reading a minute: every 20 minutes ten screws and 0.1 kg of pellets are taken. */
export function history(now: number): Reading[] {
  const end = now - HISTORY_ENDS_MS;
  const readings: Reading[] = [];
  for (let at = end - 2 * HOUR_MS; at < end; at += MINUTE_MS) {
    const taken = Math.floor((at - (end - 2 * HOUR_MS)) / (20 * MINUTE_MS));
    readings.push(settled('screws', at, TARE_MG + (1_000 - taken * 10) * SCREW_MG));
    readings.push(settled('pellets', at, TARE_MG + 4 * MG_PER_KG - taken * 100_000));
  }
  return readings;
}

/** A level that came after the history and lasts until now. */
export function levelSince(bin: string, now: number, massMg: number): Reading[] {
  const readings: Reading[] = [];
  for (let at = now - 4 * MINUTE_MS; at <= now; at += 5 * SECOND_MS) {
    readings.push(settled(bin, at, massMg));
  }
  return readings;
}
