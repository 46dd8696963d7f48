// The SQL of hits. Written by hand because it carries every hit: one statement per batch and purpose, whatever its size.
import type { EntityManager } from 'typeorm';
import type { HitRow } from './hit-row.js';

/** A hit and the page it is of; null when the workspace tracks no such page. */
export interface PlacedHit extends HitRow {
  pageId: string | null;
}

export interface KnownPage {
  workspaceId: string;
  id: string;
  url: string;
  verified: boolean;
}

/** The pages that the hits name by id or by URL, each within the hit's own workspace. */
export async function pagesNamedBy(tx: EntityManager, hits: HitRow[]): Promise<KnownPage[]> {
  return tx.query<KnownPage[]>(
    `WITH named (workspace_id, id, url) AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
     SELECT workspace_id AS "workspaceId", page.id, page.url, verified_at IS NOT NULL AS verified
     FROM named JOIN pages page USING (workspace_id) WHERE page.id = named.id
     UNION
     SELECT workspace_id, page.id, page.url, verified_at IS NOT NULL
     FROM named JOIN pages page USING (workspace_id) WHERE named.id IS NULL AND page.url = named.url`,
    [hits.map((hit) => hit.workspaceId), hits.map((hit) => hit.namedPageId), hits.map((hit) => hit.url)],
  );
}

/**
 * @returns the hits that were not stored before: a repeat, in this batch or from an earlier one, is left out
 *
 * Sorted, so that two replicas given the same hits lock their keys in the same order.
 */
export async function insertHits(tx: EntityManager, hits: PlacedHit[]): Promise<PlacedHit[]> {
  const inserted = await tx.query<{ workspace_id: string; id: string; occurred_at: Date }[]>(
    `INSERT INTO hits (workspace_id, id, occurred_at, received_at, page_id, url, type, name, visitor_id, referrer, utm, props)
     SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[],
                          $7::text[], $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::jsonb[])
     ORDER BY 1, 2
     ON CONFLICT DO NOTHING
     RETURNING workspace_id, id, occurred_at`,
    columnsOf(hits),
  );
  const byKey = new Map(hits.map((hit) => [keyOf(hit.workspaceId, hit.id, hit.occurredAt), hit]));
  return inserted.map((row) => byKey.get(keyOf(row.workspace_id, row.id, row.occurred_at))!);
}

function columnsOf(hits: PlacedHit[]): unknown[][] {
  return [
    hits.map((hit) => hit.workspaceId),
    hits.map((hit) => hit.id),
    hits.map((hit) => hit.occurredAt.toISOString()),
    hits.map((hit) => hit.receivedAt.toISOString()),
    hits.map((hit) => hit.pageId),
    hits.map((hit) => hit.url),
    hits.map((hit) => hit.type),
    hits.map((hit) => hit.name),
    hits.map((hit) => hit.visitorId),
    hits.map((hit) => hit.referrer),
    hits.map((hit) => hit.utm),
    hits.map((hit) => hit.props),
  ];
}

function keyOf(workspaceId: string, id: string, occurredAt: Date): string {
  return JSON.stringify([workspaceId, id, occurredAt.getTime()]);
}

/** A page whose first hit has come. */
export interface VerifiedPage {
  workspaceId: string;
  id: string;
  url: string;
  title: string;
  verifiedAt: Date;
}

/**
 * Notes on pages that had no hit yet when their first one was received. The pages are locked in the order of their keys
 * before they are updated: an UPDATE alone locks in whatever order its plan has, and two replicas could wait for each other.
 * @returns those that had none: of two replicas that have a first hit of one page, only one gets it
 */
export async function markVerified(tx: EntityManager, hits: PlacedHit[]): Promise<VerifiedPage[]> {
  if (hits.length === 0) return [];
  const [verified] = await tx.query<[VerifiedPage[], number]>(
    `WITH first AS (
       SELECT workspace_id, page_id AS id, min(received_at) AS received_at
       FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS hit (workspace_id, page_id, received_at)
       GROUP BY workspace_id, page_id
     ), locked AS (
       SELECT workspace_id, id, first.received_at
       FROM pages JOIN first USING (workspace_id, id)
       WHERE verified_at IS NULL
       ORDER BY workspace_id, id
       FOR NO KEY UPDATE OF pages
     )
     UPDATE pages SET verified_at = locked.received_at
     FROM locked
     WHERE pages.workspace_id = locked.workspace_id AND pages.id = locked.id AND verified_at IS NULL
     RETURNING pages.workspace_id AS "workspaceId", pages.id, pages.url, pages.title, verified_at AS "verifiedAt"`,
    [hits.map((hit) => hit.workspaceId), hits.map((hit) => hit.pageId), hits.map((hit) => hit.receivedAt.toISOString())],
  );
  return verified;
}
