// What fan-out reads and writes: who wants the events of a workspace, and the events with their deliveries. It works on
// batches as arrays: one statement for many rows costs PostgreSQL little more than one for a single row.
import type { DataSource } from 'typeorm';
import type { SecretBox } from '../endpoints/secret-box.js';
import { endpointColumns, targetOf, type EndpointRow } from './endpoint-row.js';
import type { FanOutTables, LoggedEvent, NewDelivery, Subscription } from './fan-out.js';

export class FanOutStore implements FanOutTables {
  constructor(
    private readonly database: DataSource,
    private readonly secrets: SecretBox,
    /** Marks what this replica leases as its own. */
    private readonly replica: number,
  ) {}

  async subscriptionsOf(workspaceIds: string[]): Promise<Subscription[]> {
    const rows = await this.database.query<EndpointRow[]>(`SELECT ${endpointColumns} FROM endpoints p WHERE p.workspace_id = ANY($1) AND p.status = 'enabled'`, [
      workspaceIds,
    ]);
    return rows.map((row) => ({ workspaceId: row.workspace_id, eventTypes: row.event_types, pageIds: row.page_ids, target: targetOf(row, this.secrets) }));
  }

  /**
   * One statement, so one transaction. A delivery that is leased is due when its lease ends, any other at once. When the
   * answer to an insert was lost and it is repeated, what stands there in this replica's lease, never attempted, is taken
   * up as if it were new.
   */
  async insert(events: LoggedEvent[], deliveries: NewDelivery[], now: Date): Promise<Set<string>> {
    const rows = await this.database.query<{ id: string }[]>(
      `WITH logged AS (
         INSERT INTO events (id, event_at, workspace_id, type, payload, traceparent)
         SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bytea[], $6::text[])
         ON CONFLICT DO NOTHING
       ), made AS (
       INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, due_at, leased_by, status, attempts, created_at)
       SELECT *, 'pending', 0, $16::timestamptz
       FROM unnest($7::text[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[], $13::integer[], $14::timestamptz[], $15::integer[])
       ON CONFLICT DO NOTHING
       RETURNING id
       )
       SELECT id FROM made
       UNION ALL
       SELECT d.id FROM deliveries d JOIN unnest($7::text[], $8::timestamptz[]) AS wanted (id, event_at) USING (id, event_at)
       WHERE d.leased_by = $17 AND d.attempts = 0 AND d.created_at < $16`,
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
        deliveries.map(({ maxAttempts }) => maxAttempts),
        deliveries.map(({ leased, leasedUntil }) => (leased ? leasedUntil : now)),
        deliveries.map(({ leased }) => (leased ? this.replica : null)),
        now,
        this.replica,
      ],
    );
    return new Set(rows.map(({ id }) => id));
  }
}
