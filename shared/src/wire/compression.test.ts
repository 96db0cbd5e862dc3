import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { agentId, binId, epoch } from '../ids.ts';
import type { Reading } from '../reading.ts';
import { seededRandom } from '../testing/random.ts';
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES, packBatch, type Batch } from './batch.ts';
import { topicOf } from './topics.ts';

const golden = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, 'golden', name));
const isGzip = (payload: Uint8Array): boolean => payload[0] === 0x1f && payload[1] === 0x8b;

/**
 * Readings as scales of 6 kg with 2 g pieces give them: noise of 80 mg, plateaus of any length, a
 * pick in most of them, now and then one that did not settle.
 */
function realistic(count: number, bins: number, seed: number): Batch {
  const random = seededRandom(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const levels = Array.from({ length: bins }, () => Math.round(500_000 + random() * 5_000_000));
  let at = 1_790_000_000_000 + Math.floor(random() * 1e9);
  const readings = Array.from({ length: count }, (): Reading => {
    const bin = Math.floor(random() * bins);
    at += 1 + Math.floor((random() ** 2 * 60_000) / Math.min(bins, 20));
    if (random() < 0.6) levels[bin] = (levels[bin] ?? 0) - Math.floor(1 + random() * 8) * 2_000;
    const samples = 5 + Math.floor(-Math.log(1 - random()) * 40);
    const spread = Math.max(1, Math.round(80 * (1 + normal() / Math.sqrt(2 * samples))));
    return {
      bin: binId(`acme-north-${'abcdefgh'[bin % 8]}${1 + Math.floor(bin / 8)}`),
      at,
      value: (levels[bin] ?? 0) + Math.round((normal() * spread) / Math.sqrt(samples)),
      unit: 'mg',
      samples,
      spread,
      quality: random() < 0.01 ? 'unstable' : 'good',
      synced: true,
    };
  });
  const id = epoch('9f0c2d6a41b84e5ab6e2f7d013c58a94');
  return { epoch: id, seq: 17_000 + seed, oldest: 16_990 + seed, readings, gaps: [] };
}

/** Bytes that MQTT puts on the wire for it: header, topic, packet id, payload. */
function published(batch: Batch): number {
  return generate({
    cmd: 'publish',
    topic: topicOf(agentId('acme-north'), 'readings'),
    messageId: 42,
    payload: Buffer.from(packBatch(batch)),
    qos: 1,
    dup: false,
    retain: false,
  }).byteLength;
}

describe('a batch on the wire', () => {
  test.each([1, 10, 20, 100])(
    'of 100 readings of %i bins takes at most 16 bytes a reading, MQTT included',
    (bins) => {
      for (let seed = 1; seed <= 50; seed += 1) {
        expect(published(realistic(100, bins, seed)), `seed ${seed}`).toBeLessThanOrEqual(1_600);
      }
    },
  );

  test('is plain where gzip would not pay, and the same either way', () => {
    for (const count of [1, 5, 20, 500]) {
      const batch = realistic(count, 5, count);
      const payload = packBatch(batch);
      expect(isGzip(payload)).toBe(count >= 20);
      const plain = new TextEncoder().encode(encodeBatch(batch));
      expect(payload.byteLength).toBeLessThanOrEqual(plain.byteLength);
      expect(decodeBatch(payload)).toEqual({ ok: true, batch, rejected: [] });
      expect(decodeBatch(plain)).toEqual(decodeBatch(payload));
    }
  });

  test('of the golden gzip file is read as it always was', () => {
    const gzip = golden('batch.json.gz');
    expect(isGzip(gzip)).toBe(true);
    expect(decodeBatch(gzip)).toEqual(decodeBatch(golden('batch.json')));
    expect(decodeBatch(gzip)).toMatchObject({ ok: true, rejected: [] });
  });
});

describe('gzip that is not what it should be', () => {
  test('is inflated up to the limit and no further', () => {
    const bomb = gzipSync(Buffer.alloc(50 * MAX_BATCH_BYTES, ' '));
    expect(bomb.byteLength).toBeLessThan(MAX_BATCH_BYTES);
    const before = process.memoryUsage().arrayBuffers;
    expect(decodeBatch(bomb)).toEqual({
      ok: false,
      reason: `gzip of more than ${MAX_BATCH_BYTES} bytes`,
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MAX_BATCH_BYTES);
  });

  test('in many members, or within itself, is no way round the limit', () => {
    const member = gzipSync(Buffer.alloc(MAX_BATCH_BYTES / 2, ' '));
    const members = Buffer.concat(Array.from({ length: 64 }, () => member));
    expect(decodeBatch(members)).toMatchObject({
      reason: `gzip of more than ${MAX_BATCH_BYTES} bytes`,
    });
    const twice = gzipSync(packBatch(realistic(100, 5, 1)));
    expect(decodeBatch(twice)).toMatchObject({ ok: false });
  });

  test('is refused with a reason when cut at any byte', () => {
    const whole = packBatch(realistic(30, 5, 1));
    for (let end = 2; end < whole.byteLength; end += 1) {
      const decoded = decodeBatch(whole.subarray(0, end));
      expect(decoded).toMatchObject({ ok: false });
      if (!decoded.ok) expect(decoded.reason).toMatch(/^not gzip: /);
    }
  });

  test('never throws, whatever bytes follow its magic number', () => {
    const valid = packBatch(realistic(30, 5, 1));
    fc.assert(
      fc.property(fc.nat(valid.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const mutated = Uint8Array.from(valid);
        mutated[at] = (mutated[at] ?? 0) ^ flip;
        const decoded = decodeBatch(mutated);
        if (decoded.ok) {
          // A flip that no checksum covers (time stamp, padding bits) changes no reading.
          expect(Buffer.from(gunzipSync(mutated))).toEqual(Buffer.from(gunzipSync(valid)));
        }
      }),
    );
  });
});
