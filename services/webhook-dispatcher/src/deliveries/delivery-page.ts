// The SQL of a page of the delivery table, the same for any combination of filters: see delivery-groups.ts for its shape.
import { inWorkspace, type Logger } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { DeliveryStatus } from './delivery.js';
import { groupsOf, ofGroup, walkAlongIndexes } from './delivery-groups.js';
import { giveWay } from './partitions.js';
import { daysAround, type SearchWindow } from './search-windows.js';
import { Statement } from '../statement.js';

export interface DeliveryFilter {
  status?: string;
  /** Of these types; undefined for any. */
  eventTypes?: string[];
  eventId?: string;
  endpointId?: string;
  responseCode?: number;
  since?: Date;
  until?: Date;
}

/** A delivery without the body of its latest answer, which is kept with the attempt only. */
export interface PageRow {
  id: string;
  workspace_id: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  event_at: Date;
  status: DeliveryStatus;
  attempts: number;
  max_attempts: number;
  response_code: number | null;
  error: string | null;
  created_at: Date;
  last_attempt_at: Date | null;
  next_attempt_at: Date | null;
  completed_at: Date | null;
}

/**
 * `next_attempt_at` is what the last attempt planned. Where a replica leaves the whole endpoint alone, the deliveries it held are
 * given back until the end of that: of what nobody has leased, the later of the two is when it can go out. Pauses that an
 * endpoint has asked for are endpoint-pauses.ts's.
 */
export const deliveryColumns = `d.id, d.workspace_id, d.endpoint_id, d.event_id, d.event_type, d.status, d.attempts, d.max_attempts,
  d.response_code, d.error, d.created_at, d.event_at, d.last_attempt_at, d.completed_at,
  CASE WHEN d.leased_by IS NULL AND d.due_at > d.created_at THEN GREATEST(d.next_attempt_at, d.due_at) ELSE d.next_attempt_at END AS next_attempt_at`;

/**
 * The index ends with the time, so that it is no larger than one by time alone; what happened in the same millisecond as the
 * last of a group is taken along and sorted by id with the rest.
 * @param owned condition that gives `d.workspace_id` or `d.endpoint_id`; its parameters are $1 and, if need be, $12
 */
const pageOf = (owned: string): string => `
  WITH RECURSIVE ${groupsOf(owned, 'd.event_at >= $5 AND d.event_at < $6', { statuses: '$2::text[]', eventTypes: '$3::text[]', responseCode: '$4::integer' })}
  SELECT d.* FROM groups g CROSS JOIN LATERAL (
    SELECT ${deliveryColumns} FROM deliveries d
    WHERE ${owned} AND ${ofGroup} AND d.event_at >= $7 AND d.event_at < $8 AND d.id < $9 AND ($10::text IS NULL OR d.event_id = $10)
    ORDER BY d.event_at DESC FETCH FIRST $11 ROWS WITH TIES
  ) d
  ORDER BY d.event_at DESC, d.id DESC LIMIT $11`;

export const pageOfWorkspace = new Statement<PageRow>('page of a workspace', pageOf('d.workspace_id = $1'));

/** An endpoint of another workspace has no deliveries here, without a look at those it has there. */
export const pageOfEndpoint = new Statement<PageRow>(
  'page of an endpoint',
  pageOf('d.endpoint_id = (SELECT id FROM endpoints WHERE id = $12 AND workspace_id = $1)'),
);

/**
 * What is read of a page besides, between the page's own times, which spares it the partitions of all other days. One by one: joined as
 * sets, by a plan that was made while there was little, it would read all attempts of those days.
 */
export const bodiesOfPage = new Statement<{ id: string; response_body: string | null }>(
  'bodies of a page',
  `SELECT latest.id, a.response_body
   FROM unnest($1::text[], $2::timestamptz[], $3::integer[]) AS latest (id, event_at, number) CROSS JOIN LATERAL (
     SELECT a.response_body FROM attempts a
     WHERE a.delivery_id = latest.id AND a.event_at = latest.event_at AND a.number = latest.number AND a.event_at BETWEEN $4 AND $5 LIMIT 1
   ) a`,
);

/** Ids are compared by their bytes. */
const afterAllIds = 'dlv_~';

/**
 * To be run before in the same transaction. Planning a page over all partitions takes several times what it takes to read it: with this
 * a connection plans it once, for whatever values, until a partition is added, dropped, analyzed or vacuumed, and partitions are left out when it is run.
 */
export const preparePages = `${walkAlongIndexes}; SET LOCAL plan_cache_mode = force_generic_plan`;

/**
 * In a transaction that has run `preparePages`.
 * @param after id of the last delivery of the page before, or empty
 */
export function readPage(tx: EntityManager, workspaceId: string, filter: DeliveryFilter, window: SearchWindow, after: string, limit: number): Promise<PageRow[]> {
  const { status, eventTypes, eventId, endpointId, responseCode } = filter;
  const values = [
    workspaceId,
    status === undefined ? null : [status],
    eventTypes ?? null,
    responseCode ?? null,
    ...boundsOf(daysAround(window)),
    ...boundsOf(window),
    after || afterAllIds,
    eventId ?? null,
    limit,
  ];
  return endpointId === undefined ? pageOfWorkspace.run(tx, values) : pageOfEndpoint.run(tx, [...values, endpointId]);
}

/**
 * Has each connection that a pool keeps plan its pages, which the first to ask for one would wait for. Where a partition is locked
 * they wait after all: nothing is to hold a service up that it can do without.
 */
export async function planPages(database: DataSource, logger: Logger): Promise<void> {
  const [nobody, never] = ['nobody', new Date(0)];
  const planAll = async (tx: EntityManager) => {
    await tx.query(`${giveWay}; ${preparePages}`);
    for (const filter of [{}, { endpointId: nobody }]) await readPage(tx, nobody, filter, { since: never, until: never }, '', 1);
    await bodiesOfPage.run(tx, [[], [], [], never, never]);
  };
  // All at once, so that no two are given the same connection, unless callers have one.
  const planned = Array.from({ length: database.options.poolSize! }, () => inWorkspace(database, nobody, planAll));
  await Promise.all(planned).catch((error: unknown) => logger.warn({ err: error }, 'pages of deliveries could not be planned ahead'));
}

function boundsOf({ since, until }: SearchWindow): (Date | string)[] {
  return [since ?? '-infinity', until ?? 'infinity'];
}
