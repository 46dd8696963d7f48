// The SQL of the pipeline: events and deliveries written, due ones leased, attempts recorded. All of it works on batches
// as arrays: one statement for many rows costs PostgreSQL little more than one for a single row.
import type { DataSource } from 'typeorm';
import type { SecretBox } from '../endpoints/secret-box.js';
import type { AttemptedDelivery, DueDelivery, Target } from './delivery.js';
import type { DueDeliveries } from './due-loop.js';
import { leaseMs, type FanOutTables, type LoggedEvent, type NewDelivery, type Subscription } from './fan-out.js';
import type { RetryPolicy } from './retry-policy.js';

interface EndpointRow {
  endpoint_id: string;
  workspace_id: string;
  url: string;
  sealed_secret: Buffer;
  timeout_ms: number;
  retry_policy: RetryPolicy;
  event_types: string[];
}

interface DueRow extends EndpointRow {
  id: string;
  event_at: Date;
  event_id: string;
  event_type: string;
  payload: Buffer;
  traceparent: string | null;
  attempts: number;
}

export class DeliveryStore implements FanOutTables, DueDeliveries {
  constructor(
    private readonly database: DataSource,
    private readonly secrets: SecretBox,
    /** Marks what this replica leases as its own. */
    private readonly replica: number,
  ) {}

  async subscriptionsOf(workspaceIds: string[]): Promise<Subscription[]> {
    const rows = await this.database.query<EndpointRow[]>(
      `SELECT id AS endpoint_id, workspace_id, url, sealed_secret, timeout_ms, retry_policy, event_types
       FROM endpoints WHERE workspace_id = ANY($1) AND status = 'enabled'`,
      [workspaceIds],
    );
    return rows.map((row) => ({ workspaceId: row.workspace_id, eventTypes: row.event_types, target: this.targetOf(row) }));
  }

  /** One statement, so one transaction. A delivery that is leased is due when its lease ends, any other at once. */
  async insert(events: LoggedEvent[], deliveries: NewDelivery[], now: Date): Promise<Set<string>> {
    const rows = await this.database.query<{ id: string }[]>(
      `WITH logged AS (
         INSERT INTO events (id, event_at, workspace_id, type, payload, traceparent)
         SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bytea[], $6::text[])
         ON CONFLICT DO NOTHING
       )
       INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, due_at, leased_by, status, attempts, created_at)
       SELECT *, 'pending', 0, $16::timestamptz
       FROM unnest($7::text[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::integer[], $14::timestamptz[], $15::integer[])
       ON CONFLICT DO NOTHING
       RETURNING id`,
      [
        events.map(({ event }) => event.id),
        events.map(({ eventAt }) => eventAt),
        events.map(({ event }) => event.workspaceId),
        events.map(({ event }) => event.type),
        events.map(({ payload }) => payload),
        events.map(({ traceparent }) => traceparent),
        deliveries.map(({ id }) => id),
        deliveries.map(({ eventAt }) => eventAt),
        deliveries.map(({ workspaceId }) => workspaceId),
        deliveries.map(({ target }) => target.endpointId),
        deliveries.map(({ eventId }) => eventId),
        deliveries.map(({ eventType }) => eventType),
        deliveries.map(({ target }) => target.retryPolicy.maxAttempts),
        deliveries.map(({ leased, leasedUntil }) => (leased ? leasedUntil : now)),
        deliveries.map(({ leased }) => (leased ? this.replica : null)),
        now,
      ],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Leasing moves due_at to the lease's end: whoever dies with it is succeeded by the next claim after that. */
  async claimDue(now: Date, limit: number, exceptEndpoints: string[]): Promise<DueDelivery[]> {
    const leasedUntil = new Date(now.getTime() + leaseMs);
    const [rows] = await this.database.query<[DueRow[], number]>(
      `WITH due AS (
         SELECT d.id, d.event_at FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id
         WHERE d.due_at <= $1 AND p.status = 'enabled' AND d.endpoint_id <> ALL($2)
         ORDER BY d.due_at LIMIT $3
         FOR UPDATE OF d SKIP LOCKED
       )
       UPDATE deliveries d SET due_at = $4, leased_by = $5
       FROM due, events e, endpoints p
       WHERE d.id = due.id AND d.event_at = due.event_at
         AND e.id = d.event_id AND e.event_at = d.event_at AND p.id = d.endpoint_id
       RETURNING d.id, d.event_at, d.event_id, d.event_type, d.attempts, d.workspace_id, e.payload, e.traceparent,
                 p.id AS endpoint_id, p.url, p.sealed_secret, p.timeout_ms, p.retry_policy, p.event_types`,
      [now, exceptEndpoints, limit, leasedUntil, this.replica],
    );
    return rows.map((row) => this.dueDelivery(row, leasedUntil));
  }

  async nextDueAt(): Promise<Date | undefined> {
    const rows = await this.database.query<{ due_at: Date }[]>(
      'SELECT due_at FROM deliveries WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1',
    );
    return rows[0]?.due_at;
  }

  /** Gives leases back, so that what is left at a stop does not wait for them to end. */
  async release(deliveries: DueDelivery[], now: Date): Promise<void> {
    await this.database.query(
      `UPDATE deliveries d SET due_at = $3, leased_by = NULL FROM unnest($1::text[], $2::timestamptz[]) AS left_over (id, event_at)
       WHERE d.id = left_over.id AND d.event_at = left_over.event_at AND d.due_at IS NOT NULL`,
      [deliveries.map(({ id }) => id), deliveries.map(({ eventAt }) => eventAt), now],
    );
  }

  /**
   * Attempts and what they make of their deliveries, in one statement. A delivery is only moved on from the state its
   * attempt was made in: what was decided meanwhile, by hand or by another replica, stands.
   */
  async record(batch: AttemptedDelivery[]): Promise<void> {
    const column = <T>(value: (attempted: AttemptedDelivery) => T): T[] => batch.map(value);
    await this.database.query(
      `WITH result AS (
         SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::integer[], $4::text[], $5::timestamptz[], $6::double precision[],
                              $7::integer[], $8::jsonb[], $9::text[], $10::text[], $11::text[], $12::timestamptz[])
           AS r (delivery_id, event_at, number, attempt_id, started_at, duration_ms, response_code, response_headers, response_body, error, status, next_attempt_at)
       ), logged AS (
         INSERT INTO attempts (delivery_id, event_at, number, id, started_at, duration_ms, response_code, response_headers, response_body, error)
         SELECT delivery_id, event_at, number, attempt_id, started_at, duration_ms, response_code, response_headers, response_body, error FROM result
         ON CONFLICT DO NOTHING
       )
       UPDATE deliveries d
       SET status = r.status, attempts = r.number, response_code = r.response_code, error = r.error, last_attempt_at = r.started_at,
           next_attempt_at = r.next_attempt_at, due_at = r.next_attempt_at, leased_by = NULL,
           completed_at = CASE WHEN r.next_attempt_at IS NULL THEN r.started_at + r.duration_ms * interval '1 millisecond' END
       FROM result r
       WHERE d.id = r.delivery_id AND d.event_at = r.event_at AND d.attempts = r.number - 1 AND d.status IN ('pending', 'retrying')`,
      [
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
      ],
    );
  }

  private targetOf(row: EndpointRow): Target {
    return {
      endpointId: row.endpoint_id,
      url: row.url,
      secret: this.secrets.open(row.sealed_secret, row.endpoint_id),
      timeoutMs: row.timeout_ms,
      retryPolicy: row.retry_policy,
    };
  }

  private dueDelivery(row: DueRow, leasedUntil: Date): DueDelivery {
    return {
      id: row.id,
      eventAt: row.event_at,
      workspaceId: row.workspace_id,
      eventId: row.event_id,
      eventType: row.event_type,
      payload: row.payload,
      traceparent: row.traceparent,
      attempts: row.attempts,
      leasedUntil,
      target: this.targetOf(row),
    };
  }
}
