// The SQL of a page of the delivery table, for any combination of filters: see delivery-groups.ts for its shape.
import { groupsOf, ofGroup } from './delivery-groups.js';
import { daysAround, type SearchWindow } from './search-windows.js';

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
 * @param after id of the last delivery of the page before, or empty
 */
export function pageQuery(workspaceId: string, filter: DeliveryFilter, window: SearchWindow, after: string, limit: number): { sql: string; values: unknown[] } {
  const values: unknown[] = [];
  const put = (value: unknown) => `$${values.push(value)}`;
  const all = (...conditions: [string, unknown][]) =>
    conditions.flatMap(([left, value]) => (value === undefined || value === '' ? [] : [`${left} ${put(value)}`])).join(' AND ') || 'true';

  const owned = ownerCondition(put(workspaceId), filter.endpointId ? put(filter.endpointId) : undefined);
  const days = daysAround(window);
  const sql = `
    WITH RECURSIVE ${groupsOf(owned, all(['d.event_at >=', days.since], ['d.event_at <', days.until]), filter.status && put(filter.status))}
    SELECT d.* FROM groups g CROSS JOIN LATERAL (
      SELECT ${deliveryColumns} FROM deliveries d
      WHERE ${owned} AND ${ofGroup}
        AND ${all(['d.event_at >=', window.since], ['d.event_at <', window.until], ['d.id <', after], ['d.event_id =', filter.eventId])}
      ORDER BY d.event_at DESC FETCH FIRST ${limit} ROWS WITH TIES
    ) d
    WHERE ${all(['g.response_code =', filter.responseCode])} AND ${filter.eventTypes ? `g.event_type = ANY(${put(filter.eventTypes)})` : 'true'}
    ORDER BY d.event_at DESC, d.id DESC LIMIT ${limit}`;
  return { sql, values };
}

/** An endpoint of another workspace has no deliveries here, without a look at those it has there. */
function ownerCondition(workspaceId: string, endpointId: string | undefined): string {
  if (!endpointId) return `d.workspace_id = ${workspaceId}`;
  return `d.endpoint_id = (SELECT id FROM endpoints WHERE id = ${endpointId} AND workspace_id = ${workspaceId})`;
}
