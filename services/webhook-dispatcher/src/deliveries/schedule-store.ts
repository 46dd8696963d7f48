// The schedule in the database: which deliveries are due, and who has the lease of which.
import type { DataSource } from 'typeorm';
import type { SecretBox } from '../endpoints/secret-box.js';
import { ends, isBetween } from './columns.js';
import type { DueDelivery } from './delivery.js';
import type { Claimed, ClaimedEndpoints, DueDeliveries } from './due-loop.js';
import { endpointColumns, targetOf, type EndpointRow } from './endpoint-row.js';
import { leaseMs } from './fan-out.js';
import { isWithin, unfinishedStretches, type Stretch } from './unfinished-days.js';

/** Of delivery `d`, its event `e` and its endpoint `p`. */
const dueColumns = `d.id, d.event_at, d.event_id, d.event_type, d.attempts, d.max_attempts, d.attempts_before_run, e.payload, e.traceparent, ${endpointColumns}`;

interface DueRow extends EndpointRow {
  id: string;
  event_at: Date;
  event_id: string;
  event_type: string;
  payload: Buffer;
  traceparent: string | null;
  attempts: number;
  max_attempts: number;
  attempts_before_run: number | null;
}

interface ClaimedRow extends DueRow {
  was_due_at: Date;
  /** Most that was claimed of an endpoint. */
  share: number;
}

/** Most that one claim takes of one endpoint, however few others there are. With 50, a backlog of one drained half as fast. */
const maxShare = 250;

/**
 * The endpoints that have unfinished deliveries, by jumping from one to the next in the index (endpoint_id, due_at): the
 * 100,000 deliveries that wait for one dead endpoint cost one jump, where an index on due_at alone would wade through them.
 * @param unfinished condition on deliveries `d`
 */
const activeEndpoints = (unfinished: string) => `
  active AS (
    (SELECT d.endpoint_id FROM deliveries d WHERE ${unfinished} ORDER BY d.endpoint_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.endpoint_id FROM deliveries d WHERE ${unfinished} AND d.endpoint_id > active.endpoint_id ORDER BY d.endpoint_id LIMIT 1)
    FROM active WHERE active.endpoint_id IS NOT NULL
  ), open AS (
    SELECT p.id, p.ordered, p.paused_until FROM active JOIN endpoints p ON p.id = active.endpoint_id
    WHERE p.status = 'enabled' AND p.id <> ALL($1)
  )`;

/** The pause of an open endpoint is over at $2. */
const isNotPaused = 'coalesce(open.paused_until <= $2, true)';

export class ScheduleStore implements DueDeliveries {
  constructor(
    private readonly everywhere: DataSource,
    private readonly secrets: SecretBox,
    private readonly replica: number,
  ) {}

  /**
   * Leasing moves due_at to the lease's end: whoever dies with it is succeeded by the next claim after that. Of an ordered
   * endpoint only the first unfinished delivery can be claimed; it is not skipped when it is locked, or the next would
   * overtake it. The limit is shared out equally, and where there are more endpoints than that, chance says which of them: a
   * backlog of some must not hold up the retries of others.
   * @returns those due for longest first
   */
  async claimDue(now: Date, limit: number, { except, onTrial }: ClaimedEndpoints): Promise<Claimed> {
    const leasedUntil = new Date(now.getTime() + leaseMs);
    const stretches = await unfinishedStretches(this.everywhere);
    const unfinished = isUnfinished(stretches);
    const isDue = `d.endpoint_id = open.id AND d.due_at <= $2 AND ${unfinished}`;
    const dueLongest = (count: string) => `
      SELECT d.id, d.event_at, d.due_at FROM deliveries d WHERE ${isDue} ORDER BY d.due_at LIMIT ${count} FOR UPDATE SKIP LOCKED`;
    const [rows] = await this.queryInOrder<[ClaimedRow[], number]>(
      `WITH RECURSIVE ${activeEndpoints(unfinished)}, waiting AS MATERIALIZED (
         SELECT open.id FROM open
         WHERE NOT open.ordered AND open.id <> ALL($6) AND ${isNotPaused} AND EXISTS (SELECT FROM deliveries d WHERE ${isDue})
         ORDER BY random()
       ), share AS (
         SELECT least(${maxShare}, greatest(1, $3::integer / nullif(count(*), 0)))::integer AS size FROM waiting
       ), unordered AS (
         SELECT d.id, d.event_at, d.due_at FROM waiting open CROSS JOIN LATERAL (${dueLongest('(SELECT size FROM share)')}) d LIMIT $3
       ), on_trial AS (
         SELECT d.id, d.event_at, d.due_at FROM open CROSS JOIN LATERAL (${dueLongest('1')}) d
         WHERE NOT open.ordered AND open.id = ANY($6) AND ${isNotPaused}
       ), ordered AS (
         SELECT d.id, d.event_at, d.due_at FROM open CROSS JOIN LATERAL (
           SELECT d.id, d.event_at, d.due_at FROM deliveries d WHERE d.endpoint_id = open.id AND ${unfinished}
           ORDER BY d.event_at, d.event_id LIMIT 1 FOR UPDATE
         ) d WHERE open.ordered AND ${isNotPaused} AND d.due_at <= $2
       ), due AS (
         SELECT * FROM unordered UNION ALL SELECT * FROM on_trial UNION ALL SELECT * FROM ordered
       )
       UPDATE deliveries d SET due_at = $4, leased_by = $5
       FROM due, events e, endpoints p
       WHERE d.id = due.id AND d.event_at = due.event_at
         AND e.id = d.event_id AND e.event_at = d.event_at AND p.id = d.endpoint_id
         AND ${isWithin('d.event_at', stretches)} AND ${isWithin('e.event_at', stretches)}
       RETURNING ${dueColumns}, due.due_at AS was_due_at, (SELECT size FROM share) AS share`,
      [except, now, limit, leasedUntil, this.replica, onTrial],
    );
    // An UPDATE returns them as its plan has met them.
    rows.sort((a, b) => a.was_due_at.getTime() - b.was_due_at.getTime());
    return { deliveries: rows.map((row) => this.dueDelivery(row, now, leasedUntil)), hasMore: rows.length >= limit || hasFullShare(rows, onTrial) };
  }

  /** The same for one delivery that is due, of an endpoint that is not ordered; undefined when it can't be. */
  async claimOne(id: string, eventAt: Date, now: Date): Promise<DueDelivery | undefined> {
    const leasedUntil = new Date(now.getTime() + leaseMs);
    const [rows] = await this.everywhere.query<[DueRow[], number]>(
      `UPDATE deliveries d SET due_at = $4, leased_by = $5 FROM events e, endpoints p
       WHERE d.id = $1 AND d.event_at = $2 AND d.due_at <= $3 AND e.id = d.event_id AND e.event_at = $2
         AND p.id = d.endpoint_id AND p.status = 'enabled' AND NOT p.ordered AND coalesce(p.paused_until <= $3, true)
       RETURNING ${dueColumns}`,
      [id, eventAt, now, leasedUntil, this.replica],
    );
    return rows[0] && this.dueDelivery(rows[0], now, leasedUntil);
  }

  /** When the next delivery is due that `claimDue` could then take. */
  async nextDueAt(exceptEndpoints: string[]): Promise<Date | undefined> {
    const unfinished = isUnfinished(await unfinishedStretches(this.everywhere));
    const rows = await this.queryInOrder<{ next: Date | null }[]>(
      `WITH RECURSIVE ${activeEndpoints(unfinished)}
       SELECT min(greatest(first.due_at, open.paused_until)) AS next FROM open CROSS JOIN LATERAL (
         (SELECT d.due_at FROM deliveries d WHERE d.endpoint_id = open.id AND ${unfinished} AND NOT open.ordered ORDER BY d.due_at LIMIT 1)
         UNION ALL
         (SELECT d.due_at FROM deliveries d WHERE d.endpoint_id = open.id AND ${unfinished} AND open.ordered ORDER BY d.event_at, d.event_id LIMIT 1)
       ) first`,
      [exceptEndpoints],
    );
    return rows[0]?.next ?? undefined;
  }

  /**
   * Ends leases of this replica before their time; what has gone to another meanwhile stays there, and what this one has leased anew. What
   * was cancelled meanwhile stays so, and can be retried from now on.
   */
  async giveBack(deliveries: DueDelivery[], until: Date): Promise<void> {
    const times = deliveries.map(({ eventAt }) => eventAt);
    await this.everywhere.query(
      `UPDATE deliveries d SET due_at = CASE d.status WHEN 'cancelled' THEN NULL ELSE $4::timestamptz END, leased_by = NULL
       FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS left_over (id, event_at, leased_until)
       WHERE d.id = left_over.id AND d.event_at = left_over.event_at AND d.leased_by = $5
         AND (d.due_at = left_over.leased_until OR d.status = 'cancelled') AND ${isBetween('d.event_at', '$6', '$7')}`,
      [deliveries.map(({ id }) => id), times, deliveries.map(({ leasedUntil }) => leasedUntil), until, this.replica, ...ends(times)],
    );
  }

  /**
   * For a query that an index has in order. Of a day whose statistics are not up to date PostgreSQL takes the deliveries of an
   * endpoint for a handful, and would rather sort them: all 100,000, to take 250.
   */
  private queryInOrder<T>(sql: string, values: unknown[]): Promise<T> {
    return this.everywhere.transaction(async (tx) => {
      await tx.query('SET LOCAL enable_sort = off');
      return tx.query<T>(sql, values);
    });
  }

  private dueDelivery(row: DueRow, now: Date, leasedUntil: Date): DueDelivery {
    return {
      id: row.id,
      eventAt: row.event_at,
      workspaceId: row.workspace_id,
      eventId: row.event_id,
      eventType: row.event_type,
      payload: row.payload,
      traceparent: row.traceparent,
      attempts: row.attempts,
      maxAttempts: row.max_attempts,
      attemptsBeforeRun: row.attempts_before_run ?? 0,
      takenAt: now,
      leasedUntil,
      target: targetOf(row, this.secrets),
    };
  }
}

/** Of some endpoint as much was claimed as of any, so there may be more of it. */
function hasFullShare(rows: ClaimedRow[], onTrial: string[]): boolean {
  const counts = new Map<string, number>();
  for (const { endpoint_id: id, ordered } of rows) if (!ordered && !onTrial.includes(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()].some((count) => count >= rows[0]!.share);
}

/** Condition on deliveries `d`. */
function isUnfinished(stretches: Stretch[]): string {
  return `d.due_at IS NOT NULL AND ${isWithin('d.event_at', stretches)}`;
}
