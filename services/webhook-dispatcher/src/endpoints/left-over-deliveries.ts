// Ends what a deleted endpoint was still to be sent. Deliveries that are being written, or whose attempt is in flight, while
// their endpoint is deleted are not there to be ended with it: they are found afterwards.
import type { Host } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';

const lookEveryMs = 60_000;

/** An attempt in flight at the deletion is recorded seconds later; after an outage of the database, hours. */
const lookBackMs = 86_400_000;

const cancelled = `status = 'cancelled', due_at = NULL, leased_by = NULL, next_attempt_at = NULL`;

export async function cancelDeliveriesOf(tx: EntityManager, endpointId: string, now: Date): Promise<void> {
  await tx.query(`UPDATE deliveries SET ${cancelled}, completed_at = $2 WHERE endpoint_id = $1 AND status IN ('pending', 'retrying')`, [endpointId, now]);
}

/** @param deletedSince looks at endpoints that were deleted from then on */
export async function cancelLeftOvers(database: DataSource, deletedSince: Date, now: Date): Promise<void> {
  await database.query(
    `UPDATE deliveries d SET ${cancelled}, completed_at = $2 FROM endpoints p
     WHERE p.deleted_at >= $1 AND d.endpoint_id = p.id AND d.due_at IS NOT NULL`,
    [deletedSince, now],
  );
}

/** Looks at all deleted endpoints now, and every minute at those of the last day. */
export function keepCancellingLeftOvers(database: DataSource, host: Host): void {
  const { clock, logger } = host;
  const stopped = new AbortController();
  const work = (async () => {
    for (let since = new Date(0); !stopped.signal.aborted; since = new Date(clock.now().getTime() - lookBackMs)) {
      await cancelLeftOvers(database, since, clock.now()).catch((error: unknown) => logger.warn({ err: error }, 'deliveries of deleted endpoints could not be cancelled'));
      await clock.wait(lookEveryMs, stopped.signal);
    }
  })();
  host.onStop('left-over deliveries', async () => {
    stopped.abort();
    await work;
  });
}
