// Drops whole days of events, deliveries and attempts once they are older than the retention. A day is kept for longer only
// while something of it is still owed: see `owed`.
import type { DataSource, EntityManager } from 'typeorm';
import { dayMs, dayOfPartition, exists, giveWay, takeTurn } from './partitions.js';

/**
 * @returns the days dropped, as in `20260304`
 * @throws AggregateError of all that failed, after trying each: one day that could not be locked must not keep the others
 */
export async function dropOldDays(database: DataSource, now: Date, retentionDays: number): Promise<string[]> {
  const oldest = new Date(now.getTime() - retentionDays * dayMs);
  const dropped: string[] = [];
  const failures = new Map<string, unknown>();
  for (const day of await daysWithPartitions(database)) {
    if (dayOfPartition(day).getTime() + dayMs > oldest.getTime()) continue;
    await dropUnlessOwed(database, day).then(
      (isDropped) => isDropped && dropped.push(day),
      (error: unknown) => failures.set(day, error),
    );
  }
  await deleteStrays(database, oldest).catch((error: unknown) => failures.set('the default partition', error));
  if (failures.size > 0) {
    const [cause] = failures.values();
    throw new AggregateError(failures.values(), `not dropped: ${[...failures.keys()].join(', ')}`, { cause });
  }
  return dropped;
}

async function daysWithPartitions(database: DataSource): Promise<string[]> {
  const rows = await database.query<{ day: string }[]>(
    `SELECT substring(child.relname FROM '^deliveries_(\\d{8})$') AS day
     FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
     WHERE inhparent = 'deliveries'::regclass AND child.relname ~ '^deliveries_\\d{8}$' ORDER BY 1`,
  );
  return rows.map(({ day }) => day);
}

/**
 * Condition that the deliveries of an endpoint `p` will still be attempted. What waits for a disabled one may wait for ever,
 * and a few of those would keep nearly every day, of all workspaces.
 */
const owed = `p.status = 'enabled' AND p.deleted_at IS NULL`;

/** Whether a day has unfinished deliveries that are owed. Jumps over the 100,000 that may wait for one disabled endpoint, as the due loop does. */
async function isOwed(database: Pick<EntityManager, 'query'>, day: string): Promise<boolean> {
  const next = (than: string) => `SELECT d.endpoint_id FROM deliveries_${day} d WHERE d.due_at IS NOT NULL ${than} ORDER BY d.endpoint_id LIMIT 1`;
  const [row] = await database.query<{ is_owed: boolean }[]>(
    `WITH RECURSIVE waiting AS (
       (${next('')})
       UNION ALL
       SELECT (${next('AND d.endpoint_id > waiting.endpoint_id')}) FROM waiting WHERE waiting.endpoint_id IS NOT NULL
     )
     SELECT EXISTS (SELECT FROM waiting JOIN endpoints p ON p.id = waiting.endpoint_id WHERE ${owed}) AS is_owed`,
  );
  return row!.is_owed;
}

/**
 * Looks twice: first so that a day that has to stay costs writers nothing, and again once nobody else can make anything of it
 * due, as a retry or a replay may have done in between. The locks are those that dropping the deliveries takes anyway, in the
 * order in which writers take theirs; the second look makes them last for an index probe for each endpoint that something
 * waits for. DETACH … CONCURRENTLY, which waits without holding others up, is refused where there is a default partition.
 * @returns whether it was dropped here
 */
function dropUnlessOwed(database: DataSource, day: string): Promise<boolean> {
  return database.transaction(async (tx) => {
    await takeTurn(tx, `deliveries_${day}`);
    if (!(await exists(tx, `deliveries_${day}`)) || (await isOwed(tx, day))) return false;
    await tx.query(giveWay);
    await tx.query(`LOCK TABLE ONLY deliveries, deliveries_${day} IN ACCESS EXCLUSIVE MODE`);
    if (await isOwed(tx, day)) return false;
    for (const table of ['deliveries', 'attempts', 'events']) await tx.query(`DROP TABLE IF EXISTS ${table}_${day}`);
    return true;
  });
}

/**
 * What came with a time outside all partitions. Deliveries first: events and attempts then stay for those that are left, even
 * if an endpoint was enabled in between.
 */
async function deleteStrays(database: DataSource, before: Date): Promise<void> {
  await database.query(
    `DELETE FROM deliveries_default d WHERE event_at < $1 AND (due_at IS NULL OR NOT EXISTS (SELECT FROM endpoints p WHERE p.id = d.endpoint_id AND ${owed}))`,
    [before],
  );
  const left = 'SELECT FROM deliveries_default d WHERE d.event_at = old.event_at';
  await database.query(`DELETE FROM events_default old WHERE event_at < $1 AND NOT EXISTS (${left} AND d.event_id = old.id)`, [before]);
  await database.query(`DELETE FROM attempts_default old WHERE event_at < $1 AND NOT EXISTS (${left} AND d.id = old.delivery_id)`, [before]);
}
