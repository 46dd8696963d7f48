// Which page a hit is of. Pure.
import type { HitRow } from './hit-row.js';
import type { KnownPage, PlacedHit, VerifiedPage } from './hits-store.js';

/** A hit that names a page id is of that page or of none; its URL is only asked when it names no id. */
export function placeHits(hits: HitRow[], pages: KnownPage[]): PlacedHit[] {
  const byId = new Map(pages.map((page) => [keyOf(page.workspaceId, page.id), page]));
  const byUrl = new Map(pages.map((page) => [keyOf(page.workspaceId, page.url), page]));
  return hits.map((hit) => {
    const page = hit.namedPageId ? byId.get(keyOf(hit.workspaceId, hit.namedPageId)) : byUrl.get(keyOf(hit.workspaceId, hit.url));
    return { ...hit, pageId: page?.id ?? null };
  });
}

/** The hits of pages that had none before. */
export function firstHits(hits: PlacedHit[], pages: KnownPage[]): PlacedHit[] {
  const unverified = new Set(pages.filter((page) => !page.verified).map((page) => page.id));
  return hits.filter((hit) => hit.pageId !== null && unverified.has(hit.pageId));
}

/** The hit that made a page a verified one, of those that were its first. */
export function verifyingHit({ id, verifiedAt }: VerifiedPage, first: PlacedHit[]): PlacedHit | undefined {
  return first.find(({ pageId, receivedAt }) => pageId === id && receivedAt.getTime() === verifiedAt.getTime());
}

function keyOf(workspaceId: string, name: string | null): string {
  return JSON.stringify([workspaceId, name]);
}
