// The SQL that carries a replay out: a batch is made due and the replay moved on in one transaction, so that a crash
// leaves neither a batch without progress nor progress without its batch.
import type { DataSource, EntityManager } from 'typeorm';
import { dueAgain, notLeased } from '../deliveries/by-hand.js';
import type { DeliveryStatus } from '../deliveries/delivery.js';
import { deliveryId } from '../deliveries/ids.js';
import { nextStretch, type Candidate, type ReplayScope, type Stretch } from './candidates.js';
import { pace } from './pace.js';
import type { ReplayBatches } from './replay-loop.js';

interface ReplayRow {
  id: string;
  workspace_id: string;
  endpoint_id: string;
  until: Date;
  statuses: DeliveryStatus[];
  event_types: string[];
  include_missed: boolean;
  rate_per_second: number;
  after_event_at: Date;
  after_id: string;
  wanted_event_types: string[];
  page_ids: string[];
  max_attempts: number;
  is_endpoint_deleted: boolean;
}

interface Paced extends Candidate {
  dueAt: Date;
}

/** While its endpoint is disabled a replay rests: what it made due would only wait. */
const isAtWork = `r.status = 'running' AND (p.status = 'enabled' OR p.deleted_at IS NOT NULL)`;

export class ReplayStore implements ReplayBatches {
  /** @param everywhere see `openAcrossWorkspaces` */
  constructor(private readonly everywhere: DataSource) {}

  replayBatch(now: Date): Promise<boolean> {
    return this.everywhere.transaction(async (tx) => {
      const replay = await claim(tx, now);
      if (!replay) return false;
      if (replay.is_endpoint_deleted) await end(tx, replay.id, 'cancelled', now);
      else await advance(tx, replay, now);
      return true;
    });
  }

  async nextBatchAt(): Promise<Date | undefined> {
    const [row] = await this.everywhere.query<{ next: Date | null }[]>(
      `SELECT min(r.next_batch_at) AS next FROM replays r JOIN endpoints p ON p.id = r.endpoint_id WHERE ${isAtWork}`,
    );
    return row?.next ?? undefined;
  }
}

async function claim(tx: EntityManager, now: Date): Promise<ReplayRow | undefined> {
  const rows = await tx.query<ReplayRow[]>(
    `SELECT r.id, r.workspace_id, r.endpoint_id, r.until, r.statuses, r.event_types, r.include_missed, r.rate_per_second,
       r.after_event_at, r.after_id, p.event_types AS wanted_event_types, p.page_ids,
       (p.retry_policy->>'maxAttempts')::integer AS max_attempts, p.deleted_at IS NOT NULL AS is_endpoint_deleted
     FROM replays r JOIN endpoints p ON p.id = r.endpoint_id
     WHERE ${isAtWork} AND r.next_batch_at <= $1
     ORDER BY r.next_batch_at LIMIT 1 FOR UPDATE OF r SKIP LOCKED`,
    [now],
  );
  return rows[0];
}

async function advance(tx: EntityManager, replay: ReplayRow, now: Date): Promise<void> {
  const { candidates, upTo, isFinal } = await nextStretch(tx, scopeOf(replay), replay.rate_per_second);
  const { dueAt, next } = pace(candidates.length, replay.rate_per_second, now);
  const batch = candidates.map((candidate, index) => ({ ...candidate, dueAt: dueAt[index]! }));
  const done = (await makeDueAgain(tx, batch, replay, now)) + (await makeUpFor(tx, batch, replay, now));
  await moveOn(tx, replay.id, upTo, done, next);
  if (isFinal) await end(tx, replay.id, 'completed', now);
}

function scopeOf(replay: ReplayRow): ReplayScope {
  return {
    workspaceId: replay.workspace_id,
    endpoint: { endpointId: replay.endpoint_id, eventTypes: replay.wanted_event_types, pageIds: replay.page_ids },
    afterEventAt: replay.after_event_at,
    afterId: replay.after_id,
    until: replay.until,
    statuses: replay.statuses,
    eventTypes: replay.event_types,
    includeMissed: replay.include_missed,
  };
}

/**
 * Each gets a fresh run of the retry policy, as the endpoint has it now, whose waits begin anew: what failed with its policy used up would
 * otherwise have one attempt, or half a day until the next.
 * What is locked or leased is under way without us; waiting for it could also deadlock with the batch that records it.
 */
async function makeDueAgain(tx: EntityManager, batch: Paced[], replay: ReplayRow, now: Date): Promise<number> {
  const existing = batch.filter(({ delivery_id }) => delivery_id !== null);
  const [, changed] = await tx.query<[unknown, number]>(
    `WITH free AS (
       SELECT d.id, d.event_at, batch.due_at
       FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS batch (id, event_at, due_at)
       JOIN deliveries d ON d.id = batch.id AND d.event_at = batch.event_at
       WHERE d.status = ANY($4) AND ${notLeased('$5')}
       FOR UPDATE OF d SKIP LOCKED
     )
     UPDATE deliveries d SET ${dueAgain('free.due_at')}, max_attempts = d.attempts + $6, attempts_before_run = d.attempts
     FROM free WHERE d.id = free.id AND d.event_at = free.event_at`,
    [
      existing.map(({ delivery_id }) => delivery_id),
      existing.map(({ event_at }) => event_at),
      existing.map(({ dueAt }) => dueAt),
      replay.statuses,
      now,
      replay.max_attempts,
    ],
  );
  return changed;
}

async function makeUpFor(tx: EntityManager, batch: Paced[], replay: ReplayRow, now: Date): Promise<number> {
  const missed = batch.filter(({ delivery_id }) => delivery_id === null);
  const rows = await tx.query<unknown[]>(
    `INSERT INTO deliveries (id, event_at, event_id, event_type, due_at, workspace_id, endpoint_id, max_attempts, created_at, status, attempts)
     SELECT *, $6::text, $7::text, $8::integer, $9::timestamptz, 'pending', 0
     FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[])
     ON CONFLICT DO NOTHING RETURNING 1`,
    [
      missed.map(({ event_id, event_at }) => deliveryId(event_id, replay.endpoint_id, event_at)),
      missed.map(({ event_at }) => event_at),
      missed.map(({ event_id }) => event_id),
      missed.map(({ type }) => type),
      missed.map(({ dueAt }) => dueAt),
      replay.workspace_id,
      replay.endpoint_id,
      replay.max_attempts,
      now,
    ],
  );
  return rows.length;
}

async function moveOn(tx: EntityManager, id: string, upTo: Stretch['upTo'], done: number, nextBatchAt: Date): Promise<void> {
  await tx.query('UPDATE replays SET after_event_at = $2, after_id = $3, done = done + $4, next_batch_at = $5 WHERE id = $1', [
    id,
    upTo.eventAt,
    upTo.id,
    done,
    nextBatchAt,
  ]);
}

async function end(tx: EntityManager, id: string, status: 'completed' | 'cancelled', now: Date): Promise<void> {
  await tx.query('UPDATE replays SET status = $2, completed_at = $3 WHERE id = $1', [id, status, now]);
}
