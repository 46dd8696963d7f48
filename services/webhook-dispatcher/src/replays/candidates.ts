// What a replay goes over: deliveries there are, and events there is no delivery of, in one order by time and id of the
// event. Reads only.
import type { EntityManager } from 'typeorm';
import type { Window } from '../counting.js';
import type { DeliveryStatus } from '../deliveries/delivery.js';
import { groupsOf, ofGroup, walkAlongIndexes, type WantedGroups } from '../deliveries/delivery-groups.js';
import { daysAround } from '../deliveries/search-windows.js';
import type { EventFilter } from '../endpoints/event-filter.js';
import { compareAsSets, fromMissedEvents, typesWanted } from '../endpoints/missed-events.js';

/** What is replayed, whenever it happened. */
export interface ReplayChoice {
  workspaceId: string;
  endpoint: EventFilter & { endpointId: string };
  statuses: DeliveryStatus[];
  eventTypes: string[];
  includeMissed: boolean;
}

export interface ReplayScope extends ReplayChoice {
  /** Candidates lie after this event; with an empty id, from this time on. */
  afterEventAt: Date;
  afterId: string;
  until: Date;
}

export interface Candidate {
  event_at: Date;
  event_id: string;
  type: string;
  /** Null for a missed event. */
  delivery_id: string | null;
}

export interface Stretch {
  candidates: Candidate[];
  /** Everything up to here is dealt with once the candidates are. */
  upTo: { eventAt: Date; id: string };
  /** Nothing comes after it. */
  isFinal: boolean;
}

/**
 * How far one look for missed events goes at most: it compares all events of that time with all deliveries, however few it
 * is to find. With 7,000 events in the hour it took 20 ms.
 */
const longestLookMs = 3_600_000;

export async function countCandidates(tx: EntityManager, choice: ReplayChoice, { since, until }: Window): Promise<number> {
  await tx.query(compareAsSets);
  const [row] = await tx.query<{ count: number }[]>(
    `SELECT (
       (SELECT count(*) FROM deliveries d WHERE ${isOfEndpoint} AND ${isInWindow} AND ${isAskedFor}) + (SELECT count(*) ${missed})
     )::integer AS count`,
    parametersOf({ ...choice, afterEventAt: since, afterId: '', until }),
  );
  return row!.count;
}

/** The next candidates, `limit` at most; fewer, or none, do not mean that it was the last stretch. */
export async function nextStretch(tx: EntityManager, scope: ReplayScope, limit: number): Promise<Stretch> {
  const lookEnd = new Date(Math.min(scope.until.getTime(), scope.includeMissed ? scope.afterEventAt.getTime() + longestLookMs : Infinity));
  const candidates = await firstCandidates(tx, { ...scope, until: lookEnd }, limit);
  const last = candidates.at(-1);
  if (last && candidates.length === limit) return { candidates, upTo: { eventAt: last.event_at, id: last.event_id }, isFinal: false };
  return { candidates, upTo: { eventAt: lookEnd, id: '' }, isFinal: lookEnd >= scope.until };
}

/** Each half stops at the limit by itself, so that neither is read further than that. */
async function firstCandidates(tx: EntityManager, scope: ReplayScope, limit: number): Promise<Candidate[]> {
  const inOrder = `ORDER BY event_at, event_id LIMIT ${limit}`;
  const { since, until } = daysAround({ since: scope.afterEventAt, until: scope.until });
  await tx.query(`${walkAlongIndexes}; ${compareAsSets}`);
  return tx.query<Candidate[]>(
    `WITH RECURSIVE ${groupsOf(isOfEndpoint, 'd.event_at >= $11 AND d.event_at < $12', asked)}
     (SELECT d.* FROM groups g CROSS JOIN LATERAL (
        SELECT d.event_at, d.event_id, d.event_type AS type, d.id AS delivery_id
        FROM deliveries d WHERE ${isOfEndpoint} AND ${ofGroup} AND ${isInWindow}
        ORDER BY event_at FETCH FIRST ${limit} ROWS WITH TIES
      ) d ${inOrder})
     UNION ALL
     (SELECT e.event_at, e.id AS event_id, e.type, NULL AS delivery_id ${missed} ${inOrder})
     ${inOrder}`,
    [...parametersOf(scope), since, until],
  );
}

const isOfEndpoint = 'd.endpoint_id = $1';
const isInWindow = 'd.event_at >= $2 AND (d.event_at, d.event_id) > ($2, $3) AND d.event_at < $4';

/** Deliveries are replayed as they are, whatever the endpoint wants today. */
const asked: WantedGroups = { statuses: '$5::text[]', eventTypes: '$6::text[]', responseCode: 'NULL::integer' };
const isAskedFor = `d.status = ANY(${asked.statuses}) AND (${asked.eventTypes} IS NULL OR d.event_type = ANY(${asked.eventTypes}))`;

const missed = `${fromMissedEvents({ workspaceId: '$8', endpointId: '$1', since: '$2', until: '$4', types: '$9', pageIds: '$10' })}
  AND $7::boolean AND (e.event_at, e.id) > ($2, $3)`;

function parametersOf(scope: ReplayScope): unknown[] {
  const { endpoint } = scope;
  const asked = scope.eventTypes.length === 0 ? null : typesWanted(scope.eventTypes);
  const wanted = typesWanted(endpoint.eventTypes).filter((type) => asked?.includes(type) ?? true);
  return [
    endpoint.endpointId,
    scope.afterEventAt,
    scope.afterId,
    scope.until,
    scope.statuses,
    asked,
    scope.includeMissed,
    scope.workspaceId,
    wanted,
    endpoint.pageIds,
  ];
}
