import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentId, binId, epoch } from '../ids.ts';
import { QUALITIES, type Reading } from '../reading.ts';
import { READING_UNITS } from '../units.ts';
import { decodeBatch, encodeBatch, MAX_BATCH_BYTES, type Batch } from './batch.ts';
import {
  CONFIG_STATES,
  desiredConfigSchema,
  MAX_CONFIG_BYTES,
  REMOTE_SECTIONS,
  remoteSectionsSchema,
  reportedConfigSchema,
  type DesiredConfig,
  type RemoteSections,
  type ReportedConfig,
} from './config.ts';
import { liveSchema } from './live.ts';
import { receiptSchema } from './receipt.ts';
import { statusSchema } from './status.ts';
import { parseTopic, shardOf, topicOf } from './topics.ts';

const golden = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'golden', name), 'utf8').trim();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The golden batch, with what the test changes in it. */
const altered = (change: (batch: Record<string, object>) => void): Uint8Array => {
  const batch = JSON.parse(golden('batch.json')) as Record<string, object>;
  change(batch);
  return bytes(JSON.stringify(batch));
};

const goldenBatch: Batch = {
  epoch: epoch('k3f9'),
  seq: 17,
  oldest: 15,
  readings: [
    reading({ bin: 'acme-north-a1', at: 1_760_000_000_000, value: 812_040, spread: 310 }),
    reading({ bin: 'acme-north-a2', at: 1_760_000_000_040, value: null, quality: 'comm-error' }),
    reading({ bin: 'acme-north-a1', at: 1_760_000_010_000, value: 801_950, spread: 305 }),
  ],
  gaps: [
    {
      bin: binId('acme-north-a2'),
      from: 1_759_990_000_000,
      to: 1_760_000_000_000,
      count: 0,
      why: 'not-measured',
    },
  ],
};

function reading(given: Partial<Omit<Reading, 'bin'>> & { bin: string }): Reading {
  const value = given.value === undefined ? 1_000 : given.value;
  return {
    at: 1,
    unit: 'mg',
    samples: value === null ? 0 : 10,
    spread: 0,
    quality: 'good',
    synced: true,
    ...given,
    value,
    bin: binId(given.bin),
  };
}

describe('a batch', () => {
  test('of the golden file is read as it always was', () => {
    expect(decodeBatch(bytes(golden('batch.json')))).toEqual({
      ok: true,
      batch: goldenBatch,
      rejected: [],
    });
  });

  test('is written as in the golden file', () => {
    expect(encodeBatch(goldenBatch)).toBe(golden('batch.json'));
  });

  test('comes back as it was sent, whatever it holds', () => {
    const anyReading = fc.record({
      bin: fc.constantFrom('a', 'b', 'c').map(binId),
      at: fc.integer({ min: 1, max: 2 ** 45 }),
      value: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
      unit: fc.constantFrom(...READING_UNITS),
      samples: fc.integer({ min: 1, max: 1_000 }),
      spread: fc.integer({ min: 0, max: 1e9 }),
      quality: fc.constantFrom(...QUALITIES),
      synced: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyReading, { maxLength: 50 }), (readings) => {
        const batch: Batch = { epoch: epoch('e'), seq: 1, oldest: 1, readings, gaps: [] };
        expect(decodeBatch(bytes(encodeBatch(batch)))).toEqual({ ok: true, batch, rejected: [] });
      }),
    );
  });

  test('ignores fields it does not know, so that newer agents can add some', () => {
    const decoded = decodeBatch(altered((batch) => Object.assign(batch, { colour: 'blue' })));
    expect(decoded.ok).toBe(true);
  });

  test('loses only the row that is wrong', () => {
    const decoded = decodeBatch(
      altered((batch) =>
        Object.assign(batch['readings'] ?? {}, { value: [812_040, null, 'heavy'] }),
      ),
    );
    expect(decoded).toMatchObject({
      ok: true,
      batch: { readings: goldenBatch.readings.slice(0, 2) },
      rejected: [{ index: 2, reason: 'value: expected an integer or null' }],
    });
  });

  test('refuses 0 samples for a good reading: no data is never a weight', () => {
    const decoded = decodeBatch(
      altered((batch) => Object.assign(batch['readings'] ?? {}, { samples: 0 })),
    );
    expect(decoded).toMatchObject({ ok: true, rejected: [{ index: 0 }, { index: 2 }] });
  });

  test.each([
    ['a long word', 'x'.repeat(100_000)],
    ['an object', { huge: true }],
  ])(
    'whose rows all hold %s is refused as a whole, since each row would be kept with it',
    (_, samples) => {
      const decoded = decodeBatch(
        altered((batch) => Object.assign(batch['readings'] ?? {}, { samples })),
      );
      expect(decoded).toMatchObject({ ok: false, header: { epoch: 'k3f9', seq: 17 } });
    },
  );

  test('that cannot be read still says which it was, where it can', () => {
    const decoded = decodeBatch(altered((batch) => Object.assign(batch, { bins: 'none' })));
    expect(decoded).toMatchObject({ ok: false, header: { epoch: 'k3f9', seq: 17, oldest: 15 } });
  });

  test('of any bytes is refused with a reason and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (payload) => {
        const decoded = decodeBatch(payload);
        if (!decoded.ok) expect(decoded.reason).not.toBe('');
      }),
    );
  });

  test('beyond the size limit is refused unread', () => {
    expect(decodeBatch(new Uint8Array(MAX_BATCH_BYTES + 1))).toEqual({
      ok: false,
      reason: `larger than ${MAX_BATCH_BYTES} bytes`,
    });
  });
});

describe('the other golden files', () => {
  test.each([
    ['receipt.json', receiptSchema],
    ['status.json', statusSchema],
    ['live.json', liveSchema],
    ['config.json', desiredConfigSchema],
    ['config-reported.json', reportedConfigSchema],
  ])('%s is read as it always was', (name, schema) => {
    const content: unknown = JSON.parse(golden(name));
    expect(schema.parse(content)).toEqual(content);
  });
});

describe('a configuration from afar', () => {
  const { config }: DesiredConfig = desiredConfigSchema.parse(JSON.parse(golden('config.json')));

  test('has sections that the cloud can judge, and keeps the keys it does not know', () => {
    const sections: RemoteSections = remoteSectionsSchema.parse(config);
    expect(sections).toEqual(config);
    expect(sections.links?.[0]).toMatchObject({ protocol: 'mt-sics', tare: 'locked' });
  });

  test('may be empty: the local file alone is then in force', () => {
    expect(remoteSectionsSchema.parse({})).toEqual({});
  });

  test.each(['agent', 'dataDir', 'outbox', 'clock'])('never sets %s', (key) => {
    expect(REMOTE_SECTIONS).not.toContain(key);
    const { error } = remoteSectionsSchema.safeParse({ ...config, [key]: {} });
    expect(error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: [key] }]);
  });

  test('of 1,000 links fits into one message', () => {
    const links = Array.from({ length: 1_000 }, () => config['links']).flat();
    const message = JSON.stringify({ version: 1, config: { links } });
    expect(message.length).toBeLessThanOrEqual(MAX_CONFIG_BYTES);
  });

  test.each(CONFIG_STATES)('is reported as %s without a reason', (state) => {
    const report: ReportedConfig = { version: 0, state, inForce: 0, at: 1 };
    expect(reportedConfigSchema.parse({ ...report, colour: 'blue' })).toEqual(report);
  });
});

describe('topics', () => {
  test('carry a shard that is fixed for ever', () => {
    expect(shardOf(agentId('acme-north'))).toBe(49);
    expect(topicOf(agentId('acme-north'), 'readings')).toBe('offtake/v1/49/acme-north/readings');
  });

  test('are taken apart again', () => {
    expect(parseTopic('offtake/v1/49/acme-north/config/reported')).toEqual({
      shard: 49,
      agent: 'acme-north',
      channel: 'config/reported',
    });
    expect(parseTopic('offtake/v2/22/acme-north/readings')).toBeUndefined();
  });
});
