// Reading the delivery table, always within one workspace. What a page is found by is delivery-page.ts's.
import { notFound } from '@na/service-error';
import { inWorkspace, type Clock } from '@na/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { eventTimeOf } from './ids.js';
import { bodiesOfPage, deliveryColumns, preparePages, readPage, type DeliveryFilter, type PageRow } from './delivery-page.js';
import { withPauses } from './endpoint-pauses.js';
import { searchWindows, type SearchWindow } from './search-windows.js';
import { Statement } from '../statement.js';

export interface DeliveryRow extends PageRow {
  /** Of the latest attempt. */
  response_body: string | null;
}

export interface AttemptRow {
  id: string;
  number: number;
  started_at: Date;
  duration_ms: number;
  response_code: number | null;
  response_headers: Record<string, string>;
  response_body: string | null;
  error: string | null;
  /** Null when nothing was sent, as are the headers; and of attempts from before requests were recorded. */
  url: string | null;
  /** What SentRequest has of them. */
  request_headers: Record<string, string> | null;
  queued_ms: number | null;
  connected_ms: number | null;
  head_ms: number | null;
}

const attemptsOf = `
  SELECT id, number, started_at, duration_ms, response_code, response_headers, response_body, error, url, request_headers, queued_ms, connected_ms, head_ms
  FROM attempts WHERE delivery_id = $1 AND event_at = $2 ORDER BY number`;

export interface FullDelivery {
  delivery: DeliveryRow;
  payload: Buffer;
  attempts: AttemptRow[];
  /** Undefined before any was made. */
  latest: AttemptRow | undefined;
}

export class DeliveryTable {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
  ) {}

  /** Newest event first; one more than `limit`, so that the caller knows whether there are more. */
  list(workspaceId: string, filter: DeliveryFilter, after: string, limit: number): Promise<DeliveryRow[]> {
    return inWorkspace(this.database, workspaceId, async (tx) => {
      await tx.query(preparePages);
      let found: PageRow[] = [];
      for (const window of await this.windowsOf(tx, workspaceId, filter, after)) {
        found = await readPage(tx, workspaceId, filter, window, after, limit + 1);
        if (found.length > limit) break;
      }
      return withBodies(tx, await withPauses(tx, found, this.clock.now()));
    });
  }

  get(workspaceId: string, id: string): Promise<FullDelivery> {
    const at = [id, eventTimeOf(id) ?? null];
    return inWorkspace(this.database, workspaceId, async (tx) => {
      const [found] = await tx.query<(PageRow & { payload: Buffer })[]>(
        `SELECT ${deliveryColumns}, e.payload FROM deliveries d
         JOIN events e ON e.id = d.event_id AND e.event_at = d.event_at
         WHERE d.id = $1 AND d.event_at = $2 AND d.workspace_id = $3`,
        [...at, workspaceId],
      );
      if (!found) throw notFound('delivery', id);
      const attempts = await tx.query<AttemptRow[]>(attemptsOf, at);
      const { payload, ...planned } = found;
      const delivery = (await withPauses(tx, [planned], this.clock.now()))[0]!;
      const latest = attempts.find(({ number }) => number === delivery.attempts);
      return { delivery: { ...delivery, response_body: latest?.response_body ?? null }, payload, attempts, latest };
    });
  }

  /** An event's id does not tell its time for certain, but the log of events does. */
  private async windowsOf(tx: EntityManager, workspaceId: string, { eventId, since, until }: DeliveryFilter, after: string): Promise<SearchWindow[]> {
    if (!eventId) return searchWindows({ since, until }, eventTimeOf(after), this.clock.now());
    const [event] = await timeOfEvent.run(tx, [eventId, workspaceId]);
    if (!event || (since && event.event_at < since) || (until && event.event_at >= until)) return [];
    return [{ since: event.event_at, until: new Date(event.event_at.getTime() + 1) }];
  }
}

/** By its id first: looked for by both at once it would be found in the index of the workspace, which has its events by time. */
const timeOfEvent = new Statement<{ event_at: Date }>(
  'time of an event',
  `WITH found AS MATERIALIZED (SELECT event_at, workspace_id FROM events WHERE id = $1)
   SELECT event_at FROM found WHERE workspace_id = $2`,
);

async function withBodies(tx: EntityManager, page: PageRow[]): Promise<DeliveryRow[]> {
  if (page.length === 0) return [];
  const bodies = await bodiesOfPage.run(tx, [
    page.map(({ id }) => id), page.map((row) => row.event_at), page.map(({ attempts }) => attempts), page.at(-1)!.event_at, page[0]!.event_at,
  ]);
  const byId = new Map(bodies.map(({ id, response_body }) => [id, response_body]));
  return page.map((delivery) => ({ ...delivery, response_body: byId.get(delivery.id) ?? null }));
}
