// How any filter finds its deliveries quickly. The deliveries of a workspace or an endpoint that share status, event type and
// response code are a group, and its index holds each group together, newest first. A query jumps from group to group, over those
// that the filter excludes, and reads the first few of each that is left: what is rare costs as little as what is common, and no
// filter has to wade through what it does not want.
//
// Two indexes serve every combination, in place of the two by time alone that they replaced: no write pays for another one.
// Measured with 5 million rows in 30 days: docs/decisions/0011-deliveries-in-groups.md.

import type { DeliveryStatus } from './delivery.js';

/**
 * As the indexes have it. No answer at all, or none yet, counts as 0, so that groups can be compared as rows. GREATEST passes over
 * null; behind row-level security PostgreSQL would not use an index for coalesce, nor for a function that is not leakproof.
 */
const responseCode = 'GREATEST(d.response_code, 0)';
const group = `d.status, d.event_type, ${responseCode}`;

/** SQL of what a group must have, each null for any. */
export interface WantedGroups {
  /** Of type text[]. */
  statuses: string;
  /** Of type text[]. */
  eventTypes: string;
  /** Of type integer. */
  responseCode: string;
}

const allStatuses: DeliveryStatus[] = ['cancelled', 'failed', 'pending', 'retrying', 'succeeded'];
const maxResponseCode = 2 ** 31 - 1;

/**
 * The CTEs `met` and `groups` (status, event_type, response_code), for WITH RECURSIVE: all groups that the jumps come upon, and those of
 * them that are wanted. Each jump costs a probe in every partition, so it goes over whatever can't be wanted: from a type that is not, to
 * the next type that is; from one code too high, to the next type. The first starts before all groups.
 * @param owned condition that gives `d.workspace_id` or `d.endpoint_id`
 * @param days condition on `d.event_at` by whole days: a bound within a day would have to be waded up to
 */
export function groupsOf(owned: string, days: string, { statuses, eventTypes, responseCode: code }: WantedGroups): string {
  const wantedStatuses = `coalesce(${statuses}, '{${allStatuses.join()}}')`;
  const isOfStatus = `g.status = ANY(${wantedStatuses})`;
  const isOfType = `(${eventTypes} IS NULL OR g.event_type = ANY(${eventTypes}))`;
  // Past the wanted code of a wanted type it is quicker to look for the next wanted type than for whichever comes next.
  const mayGoOn = `(${code} IS NULL OR ${eventTypes} IS NULL OR g.response_code < ${code})`;
  const least = (wanted: string, over: string) => `(SELECT min(value) FROM unnest(${wanted}) AS value WHERE value > ${over})`;
  // OFFSET 0: computed before it is looked for, or row-level security keeps it out of the index. And beside an equality PostgreSQL
  // would not jump by the comparison of rows, but wade up to where it holds.
  return `met AS (
    SELECT ''::text AS status, ''::text AS event_type, -1 AS response_code
    UNION ALL
    SELECT next.* FROM met g CROSS JOIN LATERAL (
      SELECT ${isOfStatus} AND ${isOfType} AND ${mayGoOn} AS stays, ${least(wantedStatuses, 'g.status')} AS next_status,
        CASE WHEN ${isOfStatus} THEN ${least(eventTypes, 'g.event_type')} END AS next_type
    ) ahead CROSS JOIN LATERAL (
      SELECT CASE WHEN stays OR next_type IS NOT NULL THEN g.status ELSE next_status END AS status,
        CASE WHEN stays THEN g.event_type ELSE coalesce(next_type, ${least(eventTypes, `''`)}, '') END AS event_type,
        CASE WHEN NOT stays OR g.response_code < ${code} THEN coalesce(${code}, 0) - 1
             WHEN ${code} IS NULL THEN g.response_code ELSE ${maxResponseCode} END AS response_code
      OFFSET 0
    ) past CROSS JOIN LATERAL (
      SELECT ${group} AS response_code FROM deliveries d
      WHERE ${owned} AND ${days} AND (${group}) > (past.status, past.event_type, past.response_code) ORDER BY ${group} LIMIT 1
    ) next
  ), groups AS (
    SELECT * FROM met g WHERE ${isOfStatus} AND ${isOfType} AND (${code} IS NULL OR g.response_code = ${code})
  )`;
}

/** Condition that delivery `d` is of group `g`. */
export const ofGroup = `d.status = g.status AND d.event_type = g.event_type AND ${responseCode} = g.response_code`;

/**
 * To be run before in the same transaction. PostgreSQL can't know how large the groups are that a query will meet, takes them
 * for small, and would rather sort one than walk along the index until it has enough: of a large one that took seconds. This
 * leaves it nothing else to do. Compiling such a query would take longer than running it.
 */
export const walkAlongIndexes = 'SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off';
