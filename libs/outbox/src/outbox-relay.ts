// Publishes what stands in the outbox, in the order of its ids, and deletes it. Any number of replicas may run: a lock
// lets one publish at a time, because two at once could not keep the order.
import { context, metrics, propagation, type ObservableResult } from '@opentelemetry/api';
import type { Publisher } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import type { Host } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';

interface OutboxRow {
  id: string;
  message_id: string;
  subject: string;
  body: Buffer;
  traceparent: string | null;
}

const batchSize = 200;

const meter = metrics.getMeter('outbox');
const lag = meter.createObservableGauge('outbox.lag', { unit: 's', description: 'Since when this replica has not been able to publish what stands in the outbox.' });
const movedAside = meter.createCounter('outbox.failed', { unit: '{message}', description: 'Messages that the bus refused for good, and that were moved to outbox_failed.' });

/** How soon a message is found whose replica died between commit and publish. */
const pollMs = 1_000;

export class OutboxRelay {
  private readonly stopped = new AbortController();
  private work: Promise<void> = Promise.resolve();
  private wakeUp = new AbortController();
  /** When the first try began that has not come to its end; unset while there is none. */
  private tryingSince?: Date;

  private constructor(
    private readonly database: DataSource,
    private readonly publisher: Publisher,
    private readonly host: Host,
  ) {}

  static start(database: DataSource, publisher: Publisher, host: Host): OutboxRelay {
    const relay = new OutboxRelay(database, publisher, host);
    relay.work = relay.run();
    const observeLag = (result: ObservableResult) => result.observe(relay.lagSeconds);
    lag.addCallback(observeLag);
    movedAside.add(0);
    host.onStop('outbox relay', () => relay.stop().finally(() => lag.removeCallback(observeLag)));
    return relay;
  }

  /** Call after the commit of a transaction that appended: publishing then starts at once instead of at the next poll. */
  wake(): void {
    this.wakeUp.abort();
  }

  private get lagSeconds(): number {
    return this.tryingSince ? (this.host.clock.now().getTime() - this.tryingSince.getTime()) / 1_000 : 0;
  }

  private async stop(): Promise<void> {
    this.stopped.abort();
    this.wake();
    await this.work;
  }

  private async run(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      this.wakeUp = new AbortController();
      if (!(await this.publishAll())) await this.host.clock.wait(pollMs, this.wakeUp.signal);
    }
  }

  /** @returns whether there may be more */
  private async publishAll(): Promise<boolean> {
    this.tryingSince ??= this.host.clock.now();
    try {
      const { taken, refused } = await this.database.transaction((tx) => this.publishBatch(tx));
      this.tryingSince = undefined;
      movedAside.add(refused);
      return taken === batchSize;
    } catch (error) {
      if (!this.stopped.signal.aborted) this.host.logger.warn({ err: error }, 'the outbox could not be published; trying again');
      return false;
    }
  }

  /** The rows stay until the commit: a crash publishes them again, under the same message ids. */
  private async publishBatch(tx: EntityManager): Promise<{ taken: number; refused: number }> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtext('outbox'), hashtext(current_schema()))`);
    const rows = await tx.query<OutboxRow[]>(`SELECT id, message_id, subject, body, traceparent FROM outbox ORDER BY id LIMIT ${batchSize}`);
    let refused = 0;
    for (const row of rows) if (!(await this.publishOrMoveAside(tx, row))) refused += 1;
    if (rows.length > 0) await tx.query('DELETE FROM outbox WHERE id = ANY($1::bigint[])', [rows.map(({ id }) => id)]);
    return { taken: rows.length, refused };
  }

  /** What the bus refuses for good would hold up everything behind it for ever. @returns whether it was published */
  private async publishOrMoveAside(tx: EntityManager, row: OutboxRow): Promise<boolean> {
    try {
      await this.publishRow(row);
      return true;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code === 'unavailable') throw error;
      this.host.logger.error({ err: error, message_id: row.message_id, subject: row.subject }, 'a message was moved to outbox_failed');
      await tx.query(
        `INSERT INTO outbox_failed (id, message_id, subject, body, traceparent, created_at, reason)
         SELECT id, message_id, subject, body, traceparent, created_at, $2 FROM outbox WHERE id = $1`,
        [row.id, error.message],
      );
      return false;
    }
  }

  private publishRow(row: OutboxRow): Promise<void> {
    const trace = propagation.extract(context.active(), row.traceparent ? { traceparent: row.traceparent } : {});
    return this.publisher.publish({ subject: row.subject, body: row.body, id: row.message_id, trace });
  }
}
