// What fan-out reads and writes: who wants the events of workspaces, and the events with their deliveries. It works on
// batches as arrays: one statement for many rows costs PostgreSQL little more than one for a single row.
import type { DataSource } from 'typeorm';
import type { SecretBox } from '../endpoints/secret-box.js';
import { arraysOf, ends, isBetween, namesOf, unnest, type Column } from './columns.js';
import type { DueDelivery } from './delivery.js';
import { endpointColumns, targetOf, type EndpointRow } from './endpoint-row.js';
import { eventValueCount, eventValues, logEvents } from './event-log.js';
import type { LoggedEvent, NewDelivery } from './fan-out.js';
import { Statement } from '../statement.js';
import type { Subscription } from './subscriptions.js';

const selectEndpoints = new Statement<EndpointRow>(
  'endpoints of workspaces',
  `SELECT ${endpointColumns} FROM endpoints p WHERE p.workspace_id = ANY($1) AND p.deleted_at IS NULL`,
);

const keyColumns: Column<DueDelivery>[] = [
  { name: 'id', type: 'text', of: ({ id }) => id },
  { name: 'event_at', type: 'timestamptz', of: ({ eventAt }) => eventAt },
];

/** A delivery to be written as pending. */
interface PendingRow extends NewDelivery {
  dueAt: Date;
  leasedBy: number | null;
  createdAt: Date;
}

/** With when it is due. */
const dueColumns: Column<PendingRow>[] = [...keyColumns, { name: 'due_at', type: 'timestamptz', of: ({ dueAt }) => dueAt }];

const pendingColumns: Column<PendingRow>[] = [
  ...dueColumns,
  { name: 'leased_by', type: 'integer', of: ({ leasedBy }) => leasedBy },
  { name: 'workspace_id', type: 'text', of: ({ workspaceId }) => workspaceId },
  { name: 'endpoint_id', type: 'text', of: ({ target }) => target.endpointId },
  { name: 'event_id', type: 'text', of: ({ eventId }) => eventId },
  { name: 'event_type', type: 'text', of: ({ eventType }) => eventType },
  { name: 'max_attempts', type: 'integer', of: ({ maxAttempts }) => maxAttempts },
  { name: 'created_at', type: 'timestamptz', of: ({ createdAt }) => createdAt },
];

const insertDeliveries = new Statement<{ id: string }>(
  'insert deliveries',
  `WITH ${logEvents(1)}, made AS (
     INSERT INTO deliveries (${namesOf(pendingColumns)}, status, attempts)
     SELECT *, 'pending', 0 FROM ${unnest(pendingColumns, 1 + eventValueCount, 'd')}
     ON CONFLICT DO NOTHING
     RETURNING id
   )
   SELECT id FROM made`,
);

/**
 * What an earlier try has inserted whose answer was lost: from now on leased for as long as this try believes. Apart from the insert, which
 * would have to be planned each time with it.
 */
const renewOwn = new Statement<{ id: string }>(
  'renew deliveries of an earlier try',
  `UPDATE deliveries d SET due_at = wanted.due_at FROM ${unnest(dueColumns, 1, 'wanted')}
   WHERE d.id = wanted.id AND d.event_at = wanted.event_at
     AND d.leased_by = $4 AND d.status = 'pending' AND d.created_at < $5 AND ${isBetween('d.event_at', '$6', '$7')}
   RETURNING d.id`,
);

export class FanOutStore {
  constructor(
    private readonly everywhere: DataSource,
    private readonly secrets: SecretBox,
    /** Marks what this replica leases as its own. */
    private readonly replica: number,
  ) {}

  async subscriptionsOf(workspaceIds: string[]): Promise<Map<string, Subscription[]>> {
    const found = new Map<string, Subscription[]>();
    for (const row of await selectEndpoints.run(this.everywhere.manager, [workspaceIds])) {
      const ofWorkspace = found.get(row.workspace_id) ?? [];
      found.set(row.workspace_id, ofWorkspace);
      ofWorkspace.push({ eventTypes: row.event_types, pageIds: row.page_ids, target: targetOf(row, this.secrets) });
    }
    return found;
  }

  /**
   * One statement, so one transaction. A delivery that is leased is due when its lease ends, any other at once. When the
   * answer to an insert was lost and it is repeated, what stands there in this replica's lease, never attempted, is taken
   * up as if it were new.
   * @returns ids of the deliveries that are new
   */
  async insert(events: LoggedEvent[], wanted: NewDelivery[], now: Date): Promise<Set<string>> {
    // Two statements that write the same deliveries must not wait for each other in a circle.
    const deliveries = wanted.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const rows = deliveries.map((delivery): PendingRow => {
      const { leased, leasedUntil } = delivery;
      return { ...delivery, dueAt: leased ? leasedUntil : now, leasedBy: leased ? this.replica : null, createdAt: now };
    });
    const made = await insertDeliveries.run(this.everywhere.manager, [...eventValues(events), ...arraysOf(pendingColumns, rows)]);
    const fresh = new Set(made.map(({ id }) => id));
    // What is not to be leased stays as it is: this replica may have it in its memory. If not, another takes it when its lease ends.
    const others = rows.filter(({ id, leased }) => leased && !fresh.has(id));
    if (others.length > 0) for (const { id } of await this.renewOwnAmong(others, now)) fresh.add(id);
    return fresh;
  }

  private renewOwnAmong(rows: PendingRow[], before: Date): Promise<{ id: string }[]> {
    const times = rows.map(({ eventAt }) => eventAt);
    return renewOwn.run(this.everywhere.manager, [...arraysOf(dueColumns, rows), this.replica, before, ...ends(times)]);
  }
}
