// Records attempts, in batches: the attempts, what they make of their deliveries, and what they mean for their endpoints.
import type { DataSource, EntityManager } from 'typeorm';
import type { AttemptOutcome } from '../health/endpoint-health.js';
import type { AttemptedDelivery } from './delivery.js';
import { isGone, isSuccess } from './retry-policy.js';

/** What recording needs of endpoint health. */
export interface Health<Signal> {
  /** Applies outcomes to the health of their endpoints, on the locked rows. */
  apply(tx: EntityManager, byEndpoint: Map<string, AttemptOutcome[]>): Promise<Signal[]>;
  /** Tells others what came of it; after the commit. */
  committed(signals: Signal[]): void;
}

/** @returns which of the endpoints have been failing */
type Write = (tx: EntityManager, batch: AttemptedDelivery[]) => Promise<string[]>;

export class AttemptStore<Signal> {
  constructor(
    private readonly database: DataSource,
    private readonly health: Health<Signal>,
  ) {}

  /** What was attempted before it was written is inserted as it has become; the rest is brought up to date. */
  async record(batch: AttemptedDelivery[]): Promise<void> {
    const isUnwritten = ({ delivery }: AttemptedDelivery) => delivery.unwritten?.state === 'recording';
    const written = batch.filter((attempted) => !isUnwritten(attempted));
    // An insert as pending may still be under way; should it fail, the event comes again.
    await Promise.allSettled(written.flatMap(({ delivery }) => delivery.unwritten?.settled.promise ?? []));
    await this.recordWith(insertAttempted, batch.filter(isUnwritten));
    await this.recordWith(writeAttempts, written);
  }

  /** One transaction; in the ordinary case, all succeeded on endpoints that were well, one statement. */
  private async recordWith(write: Write, batch: AttemptedDelivery[]): Promise<void> {
    if (batch.length === 0) return;
    if (!batch.every(({ outcome }) => isSuccess(outcome))) {
      const signals = await this.database.transaction(async (tx) => {
        await write(tx, batch);
        return this.health.apply(tx, outcomesByEndpoint(batch));
      });
      this.health.committed(signals);
      return;
    }
    const failing = await write(this.database.manager, batch);
    // Lost in a crash right here, a recovery is noticed with the next success.
    if (failing.length === 0) return;
    this.health.committed(await this.database.transaction((tx) => this.health.apply(tx, outcomesByEndpoint(batch))));
  }
}

/** The columns of `result`, as `attemptValues` fills them. */
const resultOfAttempts = `result AS (
  SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::integer[], $4::text[], $5::timestamptz[], $6::double precision[], $7::integer[],
                       $8::jsonb[], $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::double precision[], $14::double precision[], $15::double precision[])
    AS r (delivery_id, event_at, number, attempt_id, started_at, duration_ms, response_code,
          response_headers, response_body, error, status, next_attempt_at, queued_ms, connected_ms, head_ms)
), logged AS (
  INSERT INTO attempts (delivery_id, event_at, number, id, started_at, duration_ms, response_code, response_headers, response_body, error, queued_ms, connected_ms, head_ms)
  SELECT delivery_id, event_at, number, attempt_id, started_at, duration_ms, response_code, response_headers, response_body, error, queued_ms, connected_ms, head_ms FROM result
  ON CONFLICT DO NOTHING
)`;

const completedAt = `CASE WHEN r.next_attempt_at IS NULL THEN r.started_at + r.duration_ms * interval '1 millisecond' END`;
const failingEndpoints = 'SELECT id FROM endpoints WHERE id = ANY($16) AND failing_since IS NOT NULL';

/**
 * A delivery is only moved on from the state its attempt was made in: what was decided meanwhile, by hand or by another
 * replica, stands.
 */
async function writeAttempts(tx: EntityManager, batch: AttemptedDelivery[]): Promise<string[]> {
  const rows = await tx.query<{ id: string }[]>(
    `WITH ${resultOfAttempts}, moved AS (
       UPDATE deliveries d
       SET status = r.status, attempts = r.number, response_code = r.response_code, error = r.error, last_attempt_at = r.started_at,
           next_attempt_at = r.next_attempt_at, due_at = r.next_attempt_at, leased_by = NULL, completed_at = ${completedAt}
       FROM result r
       WHERE d.id = r.delivery_id AND d.event_at = r.event_at AND d.attempts = r.number - 1 AND d.status IN ('pending', 'retrying')
     )
     ${failingEndpoints}`,
    attemptValues(batch),
  );
  return rows.map(({ id }) => id);
}

/** Events, deliveries as their first attempt has left them, and the attempts: each row is written once. */
async function insertAttempted(tx: EntityManager, batch: AttemptedDelivery[]): Promise<string[]> {
  const deliveries = batch.map(({ delivery }) => delivery);
  const events = [...new Set(deliveries.map(({ unwritten }) => unwritten!.event))];
  const rows = await tx.query<{ id: string }[]>(
    `WITH ${resultOfAttempts}, event_log AS (
       INSERT INTO events (id, event_at, workspace_id, type, payload, traceparent)
       SELECT * FROM unnest($17::text[], $18::timestamptz[], $19::text[], $20::text[], $21::bytea[], $22::text[])
       ON CONFLICT DO NOTHING
     ), made AS (
       INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, created_at,
                               status, attempts, response_code, error, last_attempt_at, next_attempt_at, due_at, completed_at)
       SELECT r.delivery_id, r.event_at, d.workspace_id, d.endpoint_id, d.event_id, d.event_type, d.max_attempts, d.created_at,
              r.status, r.number, r.response_code, r.error, r.started_at, r.next_attempt_at, r.next_attempt_at, ${completedAt}
       FROM result r JOIN unnest($1::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::integer[], $28::timestamptz[])
         AS d (id, workspace_id, endpoint_id, event_id, event_type, max_attempts, created_at) ON d.id = r.delivery_id
       ON CONFLICT DO NOTHING
     )
     ${failingEndpoints}`,
    [
      ...attemptValues(batch),
      events.map(({ event }) => event.id),
      events.map(({ eventAt }) => eventAt),
      events.map(({ event }) => event.workspaceId),
      events.map(({ event }) => event.type),
      events.map(({ payload }) => payload),
      events.map(({ traceparent }) => traceparent),
      deliveries.map(({ workspaceId }) => workspaceId),
      deliveries.map(({ target }) => target.endpointId),
      deliveries.map(({ eventId }) => eventId),
      deliveries.map(({ eventType }) => eventType),
      deliveries.map(({ maxAttempts }) => maxAttempts),
      deliveries.map(({ takenAt }) => takenAt),
    ],
  );
  return rows.map(({ id }) => id);
}

function attemptValues(batch: AttemptedDelivery[]): unknown[] {
  const column = <T>(value: (attempted: AttemptedDelivery) => T): T[] => batch.map(value);
  return [
    column(({ delivery }) => delivery.id),
    column(({ delivery }) => delivery.eventAt),
    column(({ delivery }) => delivery.attempts + 1),
    column(({ attemptId }) => attemptId),
    column(({ startedAt }) => startedAt),
    column(({ outcome }) => outcome.durationMs),
    column(({ outcome }) => (outcome.kind === 'answered' ? outcome.status : null)),
    column(({ outcome }) => (outcome.kind === 'answered' ? JSON.stringify(outcome.headers) : '{}')),
    column(({ outcome }) => (outcome.kind === 'answered' ? outcome.body : null)),
    column(({ outcome }) => (outcome.kind === 'unanswered' ? outcome.error : null)),
    column(({ next }) => (next.kind === 'retry' ? 'retrying' : next.kind)),
    column(({ next }) => (next.kind === 'retry' ? next.at : null)),
    column(({ startedAt, delivery }) => startedAt.getTime() - delivery.takenAt.getTime()),
    column(({ outcome }) => outcome.phases.connectedMs ?? null),
    column(({ outcome }) => outcome.phases.headMs ?? null),
    [...new Set(column(({ delivery }) => delivery.target.endpointId))],
  ];
}

function outcomesByEndpoint(batch: AttemptedDelivery[]): Map<string, AttemptOutcome[]> {
  const byEndpoint = new Map<string, AttemptOutcome[]>();
  for (const { delivery, startedAt, outcome } of batch) {
    const { endpointId } = delivery.target;
    const outcomes = byEndpoint.get(endpointId) ?? [];
    byEndpoint.set(endpointId, outcomes);
    outcomes.push({
      succeeded: isSuccess(outcome),
      gone: isGone(outcome),
      at: startedAt,
      responseCode: outcome.kind === 'answered' ? outcome.status : undefined,
      error: outcome.kind === 'unanswered' ? outcome.error : undefined,
    });
  }
  return byEndpoint;
}
