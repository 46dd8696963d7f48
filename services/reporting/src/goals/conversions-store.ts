// The SQL of conversions: which goals a batch of hits could meet, and noting each conversion once.
import type { EntityManager } from 'typeorm';
import type { PlacedHit } from '../hits/hits-store.js';
import type { Conversion, ConvertibleGoal } from './conversion.js';

/** The goals for the events among the hits: no others can be met, and most hits are not events. */
export async function goalsForHits(tx: EntityManager, hits: PlacedHit[]): Promise<ConvertibleGoal[]> {
  const events = hits.filter((hit) => hit.type === 'event' && hit.name !== null);
  if (events.length === 0) return [];
  return tx.query<ConvertibleGoal[]>(
    `SELECT workspace_id AS "workspaceId", id, name, event_name AS "eventName", page_id AS "pageId", value
     FROM goals JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS event (workspace_id, event_name)) AS event
     USING (workspace_id, event_name)`,
    [events.map((hit) => hit.workspaceId), events.map((hit) => hit.name)],
  );
}

/** @returns the conversions that were not noted before; sorted for the same reason as hits are */
export async function recordConversions(tx: EntityManager, conversions: Conversion[]): Promise<Conversion[]> {
  if (conversions.length === 0) return [];
  const recorded = await tx.query<{ event_id: string }[]>(
    `INSERT INTO conversions (workspace_id, goal_id, hit_id, event_id, page_id, visitor_id, value, converted_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::double precision[], $8::timestamptz[])
     ORDER BY 2, 3
     ON CONFLICT DO NOTHING
     RETURNING event_id`,
    columnsOf(conversions),
  );
  const eventIds = new Set(recorded.map((row) => row.event_id));
  return conversions.filter(({ eventId }) => eventIds.has(eventId));
}

function columnsOf(conversions: Conversion[]): unknown[][] {
  return [
    conversions.map(({ hit }) => hit.workspaceId),
    conversions.map(({ goal }) => goal.id),
    conversions.map(({ hit }) => hit.id),
    conversions.map(({ eventId }) => eventId),
    conversions.map(({ hit }) => hit.pageId),
    conversions.map(({ hit }) => hit.visitorId),
    conversions.map(({ goal }) => goal.value),
    conversions.map(({ hit }) => hit.occurredAt.toISOString()),
  ];
}
