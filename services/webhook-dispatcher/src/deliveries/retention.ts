// Drops whole days of events, deliveries and attempts once they are older than the retention. A day that still has
// unfinished deliveries is kept until they are through.
import type { DataSource, EntityManager } from 'typeorm';
import { dayMs, dayOfPartition, giveWay, tables } from './partitions.js';

/** @returns the days dropped, as in `20260304` */
export async function dropOldDays(database: DataSource, now: Date, retentionDays: number): Promise<string[]> {
  const oldest = now.getTime() - retentionDays * dayMs;
  const dropped: string[] = [];
  for (const day of await daysWithPartitions(database)) {
    if (dayOfPartition(day).getTime() + dayMs > oldest || (await hasUnfinished(database, day))) continue;
    await database.transaction((tx) => dropDay(tx, day));
    dropped.push(day);
  }
  // What came with a time outside all partitions.
  for (const table of tables) {
    await database.query(`DELETE FROM ${table}_default AS old WHERE event_at < $1 AND NOT EXISTS (${unfinishedOf[table]})`, [new Date(oldest)]);
  }
  return dropped;
}

const unfinished = 'SELECT FROM deliveries_default d WHERE d.due_at IS NOT NULL AND d.event_at = old.event_at';

/** Which unfinished deliveries keep a row from being deleted. */
const unfinishedOf = {
  events: `${unfinished} AND d.event_id = old.id`,
  deliveries: `${unfinished} AND d.id = old.id`,
  attempts: `${unfinished} AND d.id = old.delivery_id`,
};

async function daysWithPartitions(database: DataSource): Promise<string[]> {
  const rows = await database.query<{ day: string }[]>(
    `SELECT substring(child.relname FROM '^deliveries_(\\d{8})$') AS day
     FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
     WHERE inhparent = 'deliveries'::regclass AND child.relname ~ '^deliveries_\\d{8}$' ORDER BY 1`,
  );
  return rows.map(({ day }) => day);
}

async function hasUnfinished(database: DataSource, day: string): Promise<boolean> {
  const [row] = await database.query<{ unfinished: boolean }[]>(`SELECT EXISTS (SELECT FROM deliveries_${day} WHERE due_at IS NOT NULL) AS unfinished`);
  return row!.unfinished;
}

/** DETACH … CONCURRENTLY, which waits without holding others up, is refused where there is a default partition. */
async function dropDay(tx: EntityManager, day: string): Promise<void> {
  await tx.query(giveWay);
  for (const table of ['attempts', 'deliveries', 'events']) await tx.query(`DROP TABLE IF EXISTS ${table}_${day}`);
}
