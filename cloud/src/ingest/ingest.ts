import type { AgentId } from '#shared/ids.ts';
import { Delivery } from '../configuration/delivery.ts';
import { openIntake, type Intake, type IntakeOptions } from './intake.ts';
import { createGrouping } from './group.ts';
import { readLive } from './message.ts';
import { createWorker, type Restating, type WorkerOptions } from './worker.ts';

export interface IngestOptions extends Omit<WorkerOptions, 'sendReceipt'> {
  readonly broker: IntakeOptions['broker'];
  /** The stores are of no use any more: nothing is taken from here on. */
  readonly onFault: (fault: unknown) => void;
}

/** From the broker to the ledger. */
export interface Ingest extends Restating {
  /** A new version is wanted of an agent's configuration: the broker is to hold it. */
  configurationChanged(agent: AgentId): void;
  /** Takes no more messages and commits those taken. */
  drain(): Promise<void>;
  /** Writes checkpoints and leaves the broker. */
  close(): Promise<void>;
}

export async function openIngest(options: IngestOptions): Promise<Ingest> {
  const { broker, clock, log, metrics } = options;
  let intake: Intake | undefined;
  const worker = createWorker({
    ...options,
    sendReceipt: (agent, receipt) => intake?.sendReceipt(agent, receipt),
  });
  const delivery = new Delivery(options.db.sql, log);
  const grouping = createGrouping((group) => worker.process(group), options.onFault);
  intake = await openIntake({
    broker,
    clock,
    log,
    delivery,
    onMessage: (message) => {
      const live = message.channel === 'live' ? readLive(message.payload) : null;
      if (live !== null && typeof live !== 'string') {
        // QoS 0: what cannot be shown now, the next one shows.
        worker.show(message.agent, live).catch((error: unknown) => {
          log.warn({ agent: message.agent, err: error }, 'live readings not shown');
        });
        return;
      }
      if (!grouping.push(message)) metrics.shed.inc();
    },
  });
  const opened = intake;
  return {
    restateBin: (...args) => worker.restateBin(...args),
    recompute: (...args) => worker.recompute(...args),
    readmit: (...args) => worker.readmit(...args),
    forgetCatalogue: () => worker.forgetCatalogue(),
    configurationChanged: (agent) => {
      delivery.changed(agent);
      options.changes.publish({ bins: [], agents: [agent] });
    },
    async drain() {
      await opened.stop();
      await grouping.drain();
    },
    async close() {
      await worker.close();
      await opened.close();
      await delivery.close();
    },
  };
}
