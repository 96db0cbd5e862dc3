import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Counters of the way of a reading, exposed at /metrics. */
export interface IngestMetrics {
  readonly readings: Counter<'outcome'>;
  readonly batches: Counter<'admission'>;
  readonly quarantined: Counter;
  readonly dropped: Counter;
  readonly refolds: Counter;
  readonly restatements: Counter;
  readonly lostBatches: Counter;
  readonly shed: Counter;
  readonly retries: Counter;
  readonly commitSeconds: Histogram;
  readonly groupBatches: Histogram;
  readonly window: Gauge;
}

export function createIngestMetrics(registry: Registry): IngestMetrics {
  const registers = [registry];
  const counter = (name: string, help: string): Counter =>
    new Counter({ name: `offtake_ingest_${name}`, help, registers });
  return {
    readings: new Counter({
      name: 'offtake_ingest_readings_total',
      help: 'Readings given to the store, by outcome: stored, duplicate, conflict',
      labelNames: ['outcome'],
      registers,
    }),
    batches: new Counter({
      name: 'offtake_ingest_batches_total',
      help: 'Batches by admission: next, duplicate, ahead, jump; or unreadable',
      labelNames: ['admission'],
      registers,
    }),
    quarantined: counter('quarantined_total', 'Messages and rows put into quarantine'),
    dropped: counter('quarantine_dropped_total', 'What left the quarantine for want of room'),
    refolds: counter('refolds_total', 'Bins folded anew from a checkpoint'),
    restatements: counter('restatements_total', 'Bins whose written history was told anew'),
    lostBatches: counter('lost_batches_total', 'Batches an agent no longer held, never stored'),
    shed: counter(
      'shed_total',
      'Batches dropped unread for want of memory; agents send them again',
    ),
    retries: counter('commit_retries_total', 'Groups whose transaction failed and was tried again'),
    commitSeconds: new Histogram({
      name: 'offtake_ingest_commit_seconds',
      help: 'From taking up a group of batches to its commit',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    groupBatches: new Histogram({
      name: 'offtake_ingest_group_batches',
      help: 'Messages in a group',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers,
    }),
    window: new Gauge({
      name: 'offtake_ingest_window',
      help: 'Batches an agent may have in flight',
      registers,
    }),
  };
}
