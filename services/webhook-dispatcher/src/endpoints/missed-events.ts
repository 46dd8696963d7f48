// Which events an endpoint wanted and was never sent: the one rule by which they are counted when it is enabled, and found
// by a replay.
import { eventTypes } from '@na/contracts';
import type { EntityManager } from 'typeorm';
import type { Window } from '../counting.js';
import type { Endpoint } from './endpoint.entity.js';
import { wantsEvent } from './event-filter.js';

/** SQL of each. */
export interface MissedEventsOf {
  workspaceId: string;
  endpointId: string;
  /** Included. */
  since: string;
  /** Not included. */
  until: string;
  /** Of `typesWanted`. */
  types: string;
  /** Empty means all pages. */
  pageIds: string;
}

/** @param patterns as in an endpoint's event types */
export function typesWanted(patterns: readonly string[]): string[] {
  return eventTypes.filter((type) => wantsEvent(patterns, type));
}

/**
 * To be run before in the same transaction. Of a day that has not been analyzed PostgreSQL takes events and deliveries for a handful
 * each, and would read all of the endpoint's deliveries again for each event.
 */
export const compareAsSets = 'SET LOCAL enable_hashjoin = on; SET LOCAL enable_nestloop = off';

/**
 * FROM and WHERE of the events `e` that an endpoint wants (event-filter.ts has the same rule for one event at hand) and no
 * delivery to it is there for, test deliveries to other endpoints left out. Payloads are read only where the endpoint names
 * pages, and of events about endpoints. The bound on `d.event_at` repeats what equality says already, and lets PostgreSQL
 * read only the days in question.
 */
export function fromMissedEvents({ workspaceId, endpointId, since, until, types, pageIds }: MissedEventsOf): string {
  return `FROM events e
    WHERE e.workspace_id = ${workspaceId} AND e.event_at >= ${since} AND e.event_at < ${until} AND e.type = ANY(${types})
      AND e.only_endpoint_id IS NULL
      AND NOT EXISTS (
        SELECT FROM deliveries d
        WHERE d.endpoint_id = ${endpointId} AND d.event_at >= ${since} AND d.event_at < ${until} AND d.event_at = e.event_at AND d.event_id = e.id
      )
      AND (cardinality(${pageIds}::text[]) = 0 OR coalesce(${idInData('page_id')} = ANY(${pageIds}), true))
      AND (e.type NOT LIKE 'webhook.%' OR ${idInData('endpoint_id')} IS DISTINCT FROM ${endpointId})`;
}

export async function countMissedEvents(tx: EntityManager, endpoint: Endpoint, { since, until }: Window): Promise<number> {
  const missed = fromMissedEvents({ workspaceId: '$1', endpointId: '$2', since: '$3', until: '$4', types: '$5', pageIds: '$6' });
  await tx.query(compareAsSets);
  const [row] = await tx.query<{ missed: number }[]>(
    `SELECT count(*)::integer AS missed ${missed}`,
    [endpoint.workspaceId, endpoint.id, since, until, typesWanted(endpoint.eventTypes), endpoint.pageIds],
  );
  return row!.missed;
}

/**
 * An id in the event's data, or null. Cut out of the text, in which no quote inside a value goes without a backslash: as JSON,
 * an escaped NUL in any other field would be an error.
 */
function idInData(name: 'page_id' | 'endpoint_id'): string {
  return `substring(convert_from(e.payload, 'UTF8') FROM '"${name}":"([^"]*)"')`;
}
