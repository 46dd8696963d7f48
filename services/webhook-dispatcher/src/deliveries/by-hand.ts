// What a person does to a delivery: one more attempt at once, or none any more. Each is decided by one statement on the row as it
// is at that moment, so that the schedule, other replicas and other people may act at the same time; what a replica has leased
// is that replica's to hurry with, or to let go of.
import { notFound, ServiceError } from '@na/service-error';
import { inWorkspace, type Clock, type Logger } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStatus } from './delivery.js';
import { leaseMs } from './fan-out.js';
import { eventTimeOf } from './ids.js';
import type { ReplicaCalls } from './replica-calls.js';

/** SET list that makes delivery `d` due again, whatever its state. How many attempts it has then is the caller's. @param dueAt SQL of the moment */
export function dueAgain(dueAt: string): string {
  return `status = CASE d.attempts WHEN 0 THEN 'pending' ELSE 'retrying' END,
    due_at = ${dueAt}, next_attempt_at = ${dueAt}, leased_by = NULL, completed_at = NULL`;
}

/**
 * Condition that nobody has a lease on delivery `d`. One that was cancelled under a lease keeps it until its holder is known to make no
 * attempt of it, or for as long as a lease at the latest.
 * @param now SQL of the moment
 */
export function notLeased(now: string): string {
  return `(d.leased_by IS NULL OR coalesce(d.due_at, d.completed_at + interval '${leaseMs} milliseconds') <= ${now})`;
}

/**
 * By a retry at $4 of delivery `d`: none where the policy's own is due by then, its run of the policy has not had its first, or the attempt
 * that an earlier retry added has not been made.
 */
const addedAttempts = `CASE WHEN d.attempts <= coalesce(d.attempts_before_run, 0) OR d.next_attempt_at <= $4 OR d.attempts = d.added_after THEN 0 ELSE 1 END`;
const addedAfter = `CASE ${addedAttempts} WHEN 1 THEN d.attempts ELSE d.added_after END`;

/** How often a replica that has leased the delivery is asked. What it gives back another may lease before we see it free. */
const maxHurries = 2;

interface Found {
  endpoint_id: string;
  /** Of the last retry. */
  retry_id: string | null;
  /** The replica that has it, or had it when it was cancelled. */
  leased_by: number | null;
  status: DeliveryStatus;
  attempts: number;
  endpoint_status: 'enabled' | 'disabled';
  is_deleted: boolean;
}

export class ByHand {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
    private readonly replicas: Pick<ReplicaCalls, 'tell' | 'hurry'>,
    /** Has a delivery that has just been made due attempted, before all else that waits for its endpoint. Never rejects. */
    private readonly attemptFirst: (id: string, eventAt: Date) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /**
   * One attempt more than the retry policy has, whose waits go on as if it had not been made. What waits in the memory of a replica for
   * the attempt that the policy has planned only goes before what else waits there.
   * @param retryId the same in each try of one request: that the last retry was this one leaves nothing to be done
   * @throws ServiceError not_found, or conflict when an attempt is under way or its endpoint takes none
   */
  async retry(workspaceId: string, id: string, retryId: string): Promise<void> {
    const asked = await inWorkspace(this.database, workspaceId, (tx) => find(tx, workspaceId, id));
    for (let hurries = 0; ; hurries++) {
      const refused = await this.makeDue(workspaceId, id, retryId, asked);
      if (!refused) return this.attemptFirst(id, eventTimeOf(id)!);
      if (refused.retry_id === retryId) return;
      // What was decided of it meanwhile stands: that attempt, or that cancellation, was not what this retry is for.
      if (hasChanged(asked, refused)) throw new ServiceError('conflict', 'The delivery was attempted, cancelled or retried at the same moment. Look at it before you retry it again.');
      if (!mayBecomeFree(refused) || hurries === maxHurries) throw new ServiceError('conflict', whyNotRetried(refused));
      if (refused.leased_by === null) continue;
      const isHurried = await this.replicas.hurry(refused.leased_by, { endpointId: refused.endpoint_id, deliveryId: id });
      if (isHurried) return this.noteRetry(workspaceId, id, refused.retry_id, retryId);
    }
  }

  /** Unless another has been noted since. The attempt comes whether or not it can be noted: an error would only have it asked for again. */
  private async noteRetry(workspaceId: string, id: string, retryBefore: string | null, retryId: string): Promise<void> {
    try {
      await inWorkspace(this.database, workspaceId, (tx) =>
        tx.query(
          'UPDATE deliveries SET retry_id = $5 WHERE workspace_id = $1 AND id = $2 AND event_at = $3 AND retry_id IS NOT DISTINCT FROM $4',
          [workspaceId, id, eventTimeOf(id), retryBefore, retryId],
        ),
      );
    } catch (error) {
      this.logger.warn({ err: error, delivery: id }, 'a retry could not be noted: the same request sent again would be another');
    }
  }

  /**
   * @param as it has to be still
   * @returns undefined, or the delivery as it is when it can't be made due, or was already for this retry
   */
  private makeDue(workspaceId: string, id: string, retryId: string, as: Found): Promise<Found | undefined> {
    return inWorkspace(this.database, workspaceId, async (tx) => {
      const [, changed] = await tx.query<[unknown, number]>(
        `UPDATE deliveries d SET ${dueAgain('$4::timestamptz')}, retry_id = $5,
           max_attempts = GREATEST(d.max_attempts + ${addedAttempts}, d.attempts + 1), attempts_before_run = coalesce(d.attempts_before_run, 0) + ${addedAttempts},
           added_after = ${addedAfter}
         FROM endpoints p
         WHERE d.workspace_id = $1 AND d.id = $2 AND d.event_at = $3 AND ${notLeased('$4::timestamptz')}
           AND p.id = d.endpoint_id AND p.status = 'enabled' AND p.deleted_at IS NULL AND d.retry_id IS DISTINCT FROM $5
           AND d.attempts = $6 AND d.status = $7`,
        [workspaceId, id, eventTimeOf(id) ?? null, this.clock.now(), retryId, as.attempts, as.status],
      );
      return changed === 0 ? find(tx, workspaceId, id) : undefined;
    });
  }

  /**
   * An attempt in flight ends, is logged and counted, and leaves the delivery cancelled; until then it can't be retried. Once this has
   * resolved, no other is begun by a replica that lives and hears: one that is cut off from the bus or stands still for 2 s may still
   * make the one that it has in memory.
   * @param isRepeat an earlier try of the same request may have cancelled it already
   * @throws ServiceError not_found, or conflict when the delivery is final already
   */
  async cancel(workspaceId: string, id: string, isRepeat: boolean): Promise<void> {
    const { endpoint_id } = await inWorkspace(this.database, workspaceId, async (tx) => {
      const [[cancelled]] = await tx.query<[{ endpoint_id: string }[], number]>(
        `UPDATE deliveries SET status = 'cancelled', due_at = NULL, next_attempt_at = NULL, completed_at = $4,
           leased_by = CASE WHEN due_at > $4 THEN leased_by END
         WHERE workspace_id = $1 AND id = $2 AND event_at = $3 AND status IN ('pending', 'retrying') RETURNING endpoint_id`,
        [workspaceId, id, eventTimeOf(id) ?? null, this.clock.now()],
      );
      return cancelled ?? cancelledBefore(await find(tx, workspaceId, id), isRepeat);
    });
    await this.replicas.tell({ about: 'delivery', endpointId: endpoint_id, deliveryId: id });
  }
}

function cancelledBefore(found: Found, isRepeat: boolean): Found {
  if (isRepeat && found.status === 'cancelled') return found;
  throw new ServiceError('conflict', alreadyFinal[found.status]);
}

async function find(tx: EntityManager, workspaceId: string, id: string): Promise<Found> {
  const [found] = await tx.query<Found[]>(
    `SELECT d.endpoint_id, d.status, d.attempts, d.retry_id, d.leased_by, p.status AS endpoint_status, p.deleted_at IS NOT NULL AS is_deleted
     FROM deliveries d JOIN endpoints p ON p.id = d.endpoint_id
     WHERE d.workspace_id = $1 AND d.id = $2 AND d.event_at = $3`,
    [workspaceId, id, eventTimeOf(id) ?? null],
  );
  if (!found) throw notFound('delivery', id);
  return found;
}

function hasChanged(before: Found, after: Found): boolean {
  return before.attempts !== after.attempts || before.status !== after.status;
}

/** It is free by now, or a replica has leased it for an attempt that is still wanted. */
function mayBecomeFree({ leased_by, status, endpoint_status, is_deleted }: Found): boolean {
  return (leased_by === null || status !== 'cancelled') && endpoint_status === 'enabled' && !is_deleted;
}

function whyNotRetried({ endpoint_status, is_deleted }: Found): string {
  if (is_deleted) return 'The webhook of this delivery is deleted.';
  if (endpoint_status === 'disabled') return 'The webhook of this delivery is disabled. Enable it first.';
  return 'An attempt of this delivery is under way. Wait for its outcome.';
}

/** The first two are seen only when someone retried it between our statement and our look. */
const alreadyFinal: Record<DeliveryStatus, string> = {
  pending: 'The delivery was being retried at the same moment. Cancel it again.',
  retrying: 'The delivery was being retried at the same moment. Cancel it again.',
  succeeded: 'The delivery has succeeded already.',
  failed: 'The delivery has failed already: no further attempt is planned.',
  cancelled: 'The delivery is cancelled already.',
};
