// The transactional outbox: what a service tells others is written in the transaction that makes it true, and published
// afterwards by the relay.
import { toBinary } from '@bufbuild/protobuf';
import { context, propagation, type Context } from '@opentelemetry/api';
import { EnvelopeSchema, eventSubject, type Envelope } from '@na/contracts';
import type { EntityManager, QueryRunner } from 'typeorm';

export interface OutboxMessage {
  subject: string;
  body: Uint8Array;
  /** Becomes Nats-Msg-Id, so that a relay that crashed after publishing repeats itself without effect. */
  id: string;
  /** The trace to carry on; else the active one. Set where one transaction does the work of many traces. */
  trace?: Context;
}

export function eventMessage(event: Envelope): OutboxMessage {
  return { subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id };
}

/** Call inside the transaction; after its commit, wake the relay. */
export async function appendToOutbox(tx: EntityManager, messages: OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  await tx.query(
    `INSERT INTO outbox (message_id, subject, body, traceparent)
     SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[])`,
    [
      messages.map(({ id }) => id),
      messages.map(({ subject }) => subject),
      messages.map(({ body }) => Buffer.from(body)),
      messages.map(({ trace }) => traceparentOf(trace ?? context.active())),
    ],
  );
}

function traceparentOf(trace: Context): string | null {
  const carrier: Record<string, string> = {};
  propagation.inject(trace, carrier);
  return carrier.traceparent ?? null;
}

/** For a service's migration. Rows live for moments: they are deleted once published, or moved aside. */
export async function createOutboxTable(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE outbox (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      message_id text NOT NULL,
      subject text NOT NULL,
      body bytea NOT NULL,
      traceparent text,
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  await createOutboxFailedTable(runner);
}

/**
 * Where the relay puts what the bus refuses for good, so that it holds up nothing else. For the migration of a service
 * whose outbox is older than this table.
 */
export async function createOutboxFailedTable(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE IF NOT EXISTS outbox_failed (
      id bigint PRIMARY KEY,
      message_id text NOT NULL,
      subject text NOT NULL,
      body bytea NOT NULL,
      traceparent text,
      created_at timestamptz NOT NULL,
      failed_at timestamptz NOT NULL DEFAULT now(),
      reason text NOT NULL
    )`);
}
