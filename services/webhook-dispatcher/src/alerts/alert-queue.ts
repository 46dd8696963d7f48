// The SQL of alerts: waiting in their workspace's queue, leased to one sender at a time, settled.
import type { DataSource, EntityManager } from 'typeorm';
import type { HealthSignal } from '../health/endpoint-health.js';
import { reviveSignal, type Alert } from './alert.js';
import { gatherMs, mailEveryMs } from './alert-schedule.js';

export interface NewAlert {
  id: string;
  endpoint: { id: string; workspaceId: string; url: string; description: string };
  signal: HealthSignal;
}

/** The right to send the next mail to a workspace, for `leaseMs`. */
export interface Turn {
  workspaceId: string;
  /** How many have failed since the last mail was sent. */
  tries: number;
}

/** Longer than asking for the owners and sending a mail can take. */
const leaseMs = 5 * 60_000;

/** More than these wait for the next mail, which nobody would read to the end. */
const maxAlertsPerMail = 50;

/** How long alerts are kept that were dealt with. */
const keepDays = 30;

/** Call inside the transaction that makes them true; after its commit, wake the sender. */
export async function enqueueAlerts(tx: EntityManager, alerts: NewAlert[], now: Date): Promise<void> {
  if (alerts.length === 0) return;
  await tx.query(
    `INSERT INTO alerts (workspace_id, id, endpoint_id, url, description, kind, signal, created_at)
     SELECT *, $8::timestamptz FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])`,
    [
      alerts.map(({ endpoint }) => endpoint.workspaceId),
      alerts.map(({ id }) => id),
      alerts.map(({ endpoint }) => endpoint.id),
      alerts.map(({ endpoint }) => endpoint.url),
      alerts.map(({ endpoint }) => endpoint.description),
      alerts.map(({ signal }) => signal.kind),
      alerts.map(({ signal }) => JSON.stringify(signal)),
      now,
    ],
  );
  // In order, so that two transactions with alerts of the same workspaces do not wait for each other in a circle. A queue
  // that is due, leased or waiting to try again keeps its time.
  const workspaces = [...new Set(alerts.map(({ endpoint }) => endpoint.workspaceId))].sort();
  await tx.query(
    `INSERT INTO alert_queues AS q (workspace_id, due_at)
     SELECT workspace_id, $2::timestamptz FROM unnest($1::text[]) WITH ORDINALITY AS w (workspace_id, place) ORDER BY place
     ON CONFLICT (workspace_id) DO UPDATE
     SET due_at = COALESCE(q.due_at, GREATEST(EXCLUDED.due_at, q.last_sent_at + $3 * interval '1 millisecond'))`,
    [workspaces, new Date(now.getTime() + gatherMs), mailEveryMs],
  );
}

export class AlertQueue {
  constructor(private readonly everywhere: DataSource) {}

  /** Leasing moves due_at to the lease's end: whoever dies with it is succeeded by the next claim after that. */
  async claim(now: Date, limit: number): Promise<Turn[]> {
    const [rows] = await this.everywhere.query<[{ workspace_id: string; tries: number }[], number]>(
      `UPDATE alert_queues SET due_at = $2 WHERE workspace_id IN (
         SELECT workspace_id FROM alert_queues WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
       ) RETURNING workspace_id, tries`,
      [now, new Date(now.getTime() + leaseMs), limit],
    );
    return rows.map((row) => ({ workspaceId: row.workspace_id, tries: row.tries }));
  }

  async nextDueAt(): Promise<Date | undefined> {
    const rows = await this.everywhere.query<{ due_at: Date }[]>('SELECT due_at FROM alert_queues WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1');
    return rows[0]?.due_at;
  }

  /** Oldest first. Those about endpoints that were deleted since are given up: nobody can mend them. */
  async waiting(workspaceId: string, now: Date): Promise<Alert[]> {
    await this.everywhere.query(
      `UPDATE alerts a SET given_up_at = $2 FROM endpoints p
       WHERE a.workspace_id = $1 AND a.sent_at IS NULL AND a.given_up_at IS NULL AND p.id = a.endpoint_id AND p.deleted_at IS NOT NULL`,
      [workspaceId, now],
    );
    const rows = await this.everywhere.query<AlertRow[]>(
      `SELECT id, endpoint_id, url, description, signal, created_at FROM alerts
       WHERE workspace_id = $1 AND sent_at IS NULL AND given_up_at IS NULL ORDER BY id LIMIT $2`,
      [workspaceId, maxAlertsPerMail],
    );
    return rows.map(toAlert);
  }

  async sent(workspaceId: string, alerts: Alert[], now: Date): Promise<void> {
    await this.settle(workspaceId, { sent: alerts, givenUp: [], tries: 0, nextAt: new Date(now.getTime() + mailEveryMs) }, now);
  }

  /** @param givenUp those that will not be tried again @param tries how many have failed by now */
  async notSent(workspaceId: string, givenUp: Alert[], tries: number, nextAt: Date, now: Date): Promise<void> {
    await this.settle(workspaceId, { sent: [], givenUp, tries, nextAt }, now);
  }

  /**
   * Locks the queue in a statement of its own: the next one then sees every alert whose transaction found the queue
   * still leased and so left its time as it was. In one statement such an alert would be forgotten.
   */
  private async settle(workspaceId: string, result: { sent: Alert[]; givenUp: Alert[]; tries: number; nextAt: Date }, now: Date): Promise<void> {
    const { sent, givenUp, tries, nextAt } = result;
    await this.everywhere.transaction(async (tx) => {
      await tx.query('SELECT FROM alert_queues WHERE workspace_id = $1 FOR UPDATE', [workspaceId]);
      await tx.query(
        `UPDATE alerts SET sent_at = CASE WHEN id = ANY($2) THEN $4::timestamptz END, given_up_at = CASE WHEN id = ANY($3) THEN $4::timestamptz END
         WHERE workspace_id = $1 AND (id = ANY($2) OR id = ANY($3))`,
        [workspaceId, sent.map(({ id }) => id), givenUp.map(({ id }) => id), now],
      );
      await tx.query(
        `UPDATE alert_queues q
         SET tries = $2, last_sent_at = COALESCE($3::timestamptz, q.last_sent_at),
             due_at = CASE WHEN EXISTS (SELECT FROM alerts a WHERE a.workspace_id = $1 AND a.sent_at IS NULL AND a.given_up_at IS NULL) THEN $4::timestamptz END
         WHERE workspace_id = $1`,
        [workspaceId, tries, sent.length > 0 ? now : null, nextAt],
      );
      await tx.query(
        `DELETE FROM alerts WHERE workspace_id = $1 AND COALESCE(sent_at, given_up_at) < $2::timestamptz - $3 * interval '1 day'`,
        [workspaceId, now, keepDays],
      );
    });
  }
}

interface AlertRow {
  id: string;
  endpoint_id: string;
  url: string;
  description: string;
  signal: Record<string, unknown>;
  created_at: Date;
}

function toAlert(row: AlertRow): Alert {
  return { id: row.id, endpointId: row.endpoint_id, url: row.url, description: row.description, signal: reviveSignal(row.signal), createdAt: row.created_at };
}
