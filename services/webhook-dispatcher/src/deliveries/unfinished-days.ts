// The days that have unfinished deliveries. Of the 30 and more that are kept, seldom more than the last few do, and only their
// partitions need be planned and probed by what looks for due deliveries: see schedule-store.ts.
import type { DataSource } from 'typeorm';
import { dayMs } from './partitions.js';
import { Statement } from '../statement.js';

/** More stretches than this would cost more to plan than the partitions between them. */
const maxStretches = 3;

/** Of whole days (UTC). */
export interface Stretch {
  since: Date;
  /** Not included. */
  until: Date;
}

/**
 * One probe into the index of what is unfinished for each day that has a partition; what lies outside them is looked through,
 * and is next to nothing. LIMIT keeps PostgreSQL from comparing all that is unfinished with all days instead.
 */
const selectDays = new Statement<{ day: Date }>(
  'unfinished days',
  `SELECT day FROM pg_inherits JOIN pg_class partition ON partition.oid = inhrelid
   CROSS JOIN LATERAL (SELECT to_date(substring(partition.relname FROM '\\d{8}$'), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' AS day) AS named
   CROSS JOIN LATERAL (
     SELECT FROM deliveries d WHERE d.due_at IS NOT NULL AND d.event_at >= day AND d.event_at < day + interval '24 hours' LIMIT 1
   ) AS any_unfinished
   WHERE inhparent = 'deliveries'::regclass AND partition.relname ~ '_\\d{8}$'
   UNION
   SELECT date_trunc('day', event_at, 'UTC') FROM deliveries_default WHERE due_at IS NOT NULL
   ORDER BY day`,
);

export async function unfinishedStretches(database: DataSource): Promise<Stretch[]> {
  return stretchesOf((await selectDays.run(database.manager, [])).map(({ day }) => day));
}

/** @param days their starts, in order @returns a few stretches that cover them, in order */
export function stretchesOf(days: Date[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const since of days) {
    const [last, until] = [stretches.at(-1), new Date(since.getTime() + dayMs)];
    if (last?.until.getTime() === since.getTime()) last.until = until;
    else stretches.push({ since, until });
  }
  return stretches.length <= maxStretches ? stretches : [{ since: stretches[0]!.since, until: stretches.at(-1)!.until }];
}

/** Condition that the time in `column` lies in one of them. Written out, so that other partitions are not even planned. */
export function isWithin(column: string, stretches: Stretch[]): string {
  const conditions = stretches.map(({ since, until }) => `${column} >= '${since.toISOString()}' AND ${column} < '${until.toISOString()}'`);
  return conditions.length > 0 ? `(${conditions.join(' OR ')})` : 'false';
}
