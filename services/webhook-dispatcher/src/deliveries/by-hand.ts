// What a person does to a delivery: one more attempt at once, or none any more. Each is one statement that decides on the
// row as it is at that moment, so that the schedule, other replicas and other people may act at the same time.
import { notFound, ServiceError } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { eventTimeOf, type DeliveryStatus } from './delivery.js';

/** An attempt that was in flight when its delivery was cancelled is in the log, but not in the delivery's count. */
const attemptsLogged = `GREATEST(d.attempts, (SELECT max(a.number) FROM attempts a WHERE a.delivery_id = d.id AND a.event_at = d.event_at))`;

/** SET list that makes delivery `d` due once more, whatever its state. @param dueAt SQL of the moment */
export function dueAgain(dueAt: string): string {
  return `status = CASE ${attemptsLogged} WHEN 0 THEN 'pending' ELSE 'retrying' END,
    attempts = ${attemptsLogged}, max_attempts = GREATEST(d.max_attempts, ${attemptsLogged} + 1),
    due_at = ${dueAt}, next_attempt_at = ${dueAt}, leased_by = NULL, completed_at = NULL`;
}

/** Condition that nobody has a lease on delivery `d`. @param now SQL of the moment */
export function notLeased(now: string): string {
  return `(d.leased_by IS NULL OR d.due_at <= ${now})`;
}

interface Found {
  status: DeliveryStatus;
  endpoint_status: 'enabled' | 'disabled';
  is_deleted: boolean;
}

export class ByHand {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
    /** Tells the due loop that something is due. */
    private readonly wake: () => void,
    /** Resolves when no replica will begin an attempt of the delivery, or can't be reached. Never rejects. */
    private readonly withdraw: (endpointId: string, deliveryId: string) => Promise<void>,
  ) {}

  /** @throws ServiceError not_found, or conflict when an attempt is under way or its endpoint takes none */
  async retry(workspaceId: string, id: string): Promise<void> {
    await inWorkspace(this.database, workspaceId, async (tx) => {
      const [, changed] = await tx.query<[unknown, number]>(
        `UPDATE deliveries d SET ${dueAgain('$4::timestamptz')} FROM endpoints p
         WHERE d.workspace_id = $1 AND d.id = $2 AND d.event_at = $3 AND ${notLeased('$4::timestamptz')}
           AND p.id = d.endpoint_id AND p.status = 'enabled' AND p.deleted_at IS NULL`,
        [workspaceId, id, eventTimeOf(id) ?? null, this.clock.now()],
      );
      if (changed === 0) throw retryRefusal(await find(tx, workspaceId, id));
    });
    this.wake();
  }

  /**
   * An attempt in flight ends and is logged; it no longer moves the delivery. Once this has resolved, no other is begun by a
   * replica that lives and hears: one that is cut off from the bus or stands still for 2 s may still make the one that it has
   * in memory.
   * @throws ServiceError not_found, or conflict when the delivery is final already
   */
  async cancel(workspaceId: string, id: string): Promise<void> {
    const endpointId = await inWorkspace(this.database, workspaceId, async (tx) => {
      const [[cancelled]] = await tx.query<[{ endpoint_id: string }[], number]>(
        `UPDATE deliveries SET status = 'cancelled', due_at = NULL, next_attempt_at = NULL, leased_by = NULL, completed_at = $4
         WHERE workspace_id = $1 AND id = $2 AND event_at = $3 AND status IN ('pending', 'retrying') RETURNING endpoint_id`,
        [workspaceId, id, eventTimeOf(id) ?? null, this.clock.now()],
      );
      if (!cancelled) throw new ServiceError('conflict', alreadyFinal[(await find(tx, workspaceId, id)).status]);
      return cancelled.endpoint_id;
    });
    await this.withdraw(endpointId, id);
  }
}

async function find(tx: EntityManager, workspaceId: string, id: string): Promise<Found> {
  const [found] = await tx.query<Found[]>(
    `SELECT d.status, p.status AS endpoint_status, p.deleted_at IS NOT NULL AS is_deleted
     FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id
     WHERE d.workspace_id = $1 AND d.id = $2 AND d.event_at = $3`,
    [workspaceId, id, eventTimeOf(id) ?? null],
  );
  if (!found) throw notFound('delivery', id);
  return found;
}

function retryRefusal({ endpoint_status, is_deleted }: Found): ServiceError {
  if (is_deleted) return new ServiceError('conflict', 'The webhook of this delivery is deleted.');
  if (endpoint_status === 'disabled') return new ServiceError('conflict', 'The webhook of this delivery is disabled. Enable it first.');
  return new ServiceError('conflict', 'An attempt of this delivery is under way. Wait for its outcome.');
}

/** The first two are seen only when someone retried it between our statement and our look. */
const alreadyFinal: Record<DeliveryStatus, string> = {
  pending: 'The delivery was being retried at the same moment. Cancel it again.',
  retrying: 'The delivery was being retried at the same moment. Cancel it again.',
  succeeded: 'The delivery has succeeded already.',
  failed: 'The delivery has failed already: no further attempt is planned.',
  cancelled: 'The delivery is cancelled already.',
};
