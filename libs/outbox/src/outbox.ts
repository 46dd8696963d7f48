// The transactional outbox: what a service tells others is written in the transaction that makes it true, and published
// afterwards by the relay.
import { toBinary } from '@bufbuild/protobuf';
import { context, propagation } from '@opentelemetry/api';
import { EnvelopeSchema, eventSubject, type Envelope } from '@na/contracts';
import type { EntityManager, QueryRunner } from 'typeorm';

export interface OutboxMessage {
  subject: string;
  body: Uint8Array;
  /** Becomes Nats-Msg-Id, so that a relay that crashed after publishing repeats itself without effect. */
  id: string;
}

export function eventMessage(event: Envelope): OutboxMessage {
  return { subject: eventSubject(event.workspaceId, event.type), body: toBinary(EnvelopeSchema, event), id: event.id };
}

/** Call inside the transaction; after its commit, wake the relay. The active trace goes along. */
export async function appendToOutbox(tx: EntityManager, messages: OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  await tx.query(
    `INSERT INTO outbox (message_id, subject, body, traceparent)
     SELECT message_id, subject, body, $4 FROM unnest($1::text[], $2::text[], $3::bytea[]) AS message (message_id, subject, body)`,
    [messages.map(({ id }) => id), messages.map(({ subject }) => subject), messages.map(({ body }) => Buffer.from(body)), carrier.traceparent ?? null],
  );
}

/** For a service's migration. Rows live for moments: they are deleted once published. */
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
}
