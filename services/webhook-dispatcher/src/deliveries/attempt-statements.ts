// The statements that record a batch of attempts, and the columns of their parameters.
import type { EntityManager } from 'typeorm';
import { arrayOf, arraysOf, ends, isBetween, namesOf, unnest, type Column } from './columns.js';
import { awaitsSuccess } from '../health/health-store.js';
import type { AttemptedDelivery } from './delivery.js';
import { eventValues, logEvents } from './event-log.js';
import { receivedOf } from './outcome.js';
import { Statement } from '../statement.js';

type MadeDelivery = Pick<AttemptedDelivery, 'delivery'>;

/** Whose place in the log an attempt takes. */
const placeColumns: Column<MadeDelivery>[] = [
  { name: 'delivery_id', type: 'text', of: ({ delivery }) => delivery.id },
  { name: 'event_at', type: 'timestamptz', of: ({ delivery }) => delivery.eventAt },
  { name: 'number', type: 'integer', of: ({ delivery }) => delivery.attempts + 1 },
];

const loggedColumns: Column<AttemptedDelivery>[] = [
  ...placeColumns,
  { name: 'id', type: 'text', of: ({ attemptId }) => attemptId },
  { name: 'started_at', type: 'timestamptz', of: ({ startedAt }) => startedAt },
  { name: 'duration_ms', type: 'double precision', of: ({ outcome }) => outcome.durationMs },
  { name: 'response_code', type: 'integer', of: ({ outcome }) => receivedOf(outcome)?.status ?? null },
  { name: 'response_headers', type: 'jsonb', of: ({ outcome }) => JSON.stringify(receivedOf(outcome)?.headers ?? {}) },
  { name: 'response_body', type: 'text', of: ({ outcome }) => receivedOf(outcome)?.body ?? null },
  { name: 'error', type: 'text', of: ({ outcome }) => (outcome.kind === 'unanswered' ? outcome.error : null) },
  { name: 'url', type: 'text', of: ({ request }) => request?.url ?? null },
  { name: 'request_headers', type: 'jsonb', of: ({ request }) => (request ? JSON.stringify(request.headers) : null) },
  { name: 'queued_ms', type: 'double precision', of: ({ startedAt, delivery }) => startedAt.getTime() - delivery.takenAt.getTime() },
  { name: 'connected_ms', type: 'double precision', of: ({ outcome }) => outcome.phases.connectedMs ?? null },
  { name: 'head_ms', type: 'double precision', of: ({ outcome }) => outcome.phases.headMs ?? null },
];

/** Of each attempt: what is logged of it, and where it leaves its delivery. */
const attemptColumns: Column<AttemptedDelivery>[] = [
  ...loggedColumns,
  { name: 'status', type: 'text', of: ({ next }) => (next.kind === 'retry' ? 'retrying' : next.kind) },
  { name: 'next_attempt_at', type: 'timestamptz', of: ({ next }) => (next.kind === 'retry' ? next.at : null) },
  // How many attempts its run of the policy gets besides, for one that was none of the policy's.
  { name: 'forgiven', type: 'integer', of: ({ next }) => (next.kind === 'retry' && next.isForgiven ? 1 : 0) },
];

/** The same, and what makes its delivery. */
const firstAttemptColumns: Column<AttemptedDelivery>[] = [
  ...attemptColumns,
  { name: 'workspace_id', type: 'text', of: ({ delivery }) => delivery.workspaceId },
  { name: 'endpoint_id', type: 'text', of: ({ delivery }) => delivery.target.endpointId },
  { name: 'event_id', type: 'text', of: ({ delivery }) => delivery.eventId },
  { name: 'event_type', type: 'text', of: ({ delivery }) => delivery.eventType },
  { name: 'max_attempts', type: 'integer', of: ({ delivery }) => delivery.maxAttempts },
  { name: 'created_at', type: 'timestamptz', of: ({ delivery }) => delivery.takenAt },
];

/** Both the `result` of a batch, a row for each attempt, and the log of attempts. The parameters are numbered from 2. */
function resultOf(columns: Column<AttemptedDelivery>[]): string {
  const logged = namesOf(loggedColumns);
  return `result AS (
    SELECT * FROM ${unnest(columns, 2, 'r')}
  ), logged AS (
    INSERT INTO attempts (${logged}) SELECT ${logged} FROM result ON CONFLICT DO NOTHING
  )`;
}

const completedAt = `CASE WHEN r.next_attempt_at IS NULL THEN r.started_at + r.duration_ms * interval '1 millisecond' END`;
const failingEndpoints = `SELECT id FROM endpoints WHERE id = ANY($1) AND ${awaitsSuccess}`;

/** What an attempt decides of its delivery, apart from what it came to. */
const movedOn = ['status', 'next_attempt_at', 'due_at', 'completed_at'];

/** SET list of delivery `d` that leaves a cancelled one as it is. @param values SQL by column */
function unlessCancelled(d: string, values: Record<string, string>): string {
  return Object.entries(values).map(([column, value]) => `${column} = CASE ${d}.status WHEN 'cancelled' THEN ${d}.${column} ELSE ${value} END`).join(', ');
}

/**
 * A delivery is only moved on from the state its attempt was made in: what was decided meanwhile, by hand or by another
 * replica, stands. One that was cancelled meanwhile stays so, and counts the attempt.
 */
const updateAttempted = new Statement<{ id: string }>(
  'update attempted deliveries',
  `WITH ${resultOf(attemptColumns)}, moved AS (
     UPDATE deliveries d
     SET attempts = r.number, response_code = r.response_code, error = r.error, last_attempt_at = r.started_at,
         leased_by = NULL, max_attempts = d.max_attempts + r.forgiven,
         attempts_before_run = CASE r.forgiven WHEN 0 THEN d.attempts_before_run ELSE coalesce(d.attempts_before_run, 0) + r.forgiven END,
         ${unlessCancelled('d', { status: 'r.status', next_attempt_at: 'r.next_attempt_at', due_at: 'r.next_attempt_at', completed_at: completedAt })}
     FROM result r
     WHERE d.id = r.delivery_id AND d.event_at = r.event_at AND d.attempts = r.number - 1 AND d.status IN ('pending', 'retrying', 'cancelled')
       AND ${isBetween('d.event_at', `$${attemptColumns.length + 2}`, `$${attemptColumns.length + 3}`)}
   )
   ${failingEndpoints}`,
);

/**
 * Events, deliveries as their first attempt has left them, and the attempts: each row is written once. One that someone wrote as
 * pending meanwhile (another replica, a replay of what was missed) is moved on, so that the attempt is not made again.
 */
const insertAttempted = new Statement<{ id: string }>(
  'insert attempted deliveries',
  `WITH ${resultOf(firstAttemptColumns)}, ${logEvents(2 + firstAttemptColumns.length)}, made AS (
     INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, attempts_before_run, created_at,
                             status, attempts, response_code, error, last_attempt_at, next_attempt_at, due_at, completed_at)
     SELECT r.delivery_id, r.event_at, r.workspace_id, r.endpoint_id, r.event_id, r.event_type, r.max_attempts + r.forgiven, nullif(r.forgiven, 0), r.created_at,
            r.status, r.number, r.response_code, r.error, r.started_at, r.next_attempt_at, r.next_attempt_at, ${completedAt}
     FROM result r
     ON CONFLICT (id, event_at) DO UPDATE
     SET attempts = excluded.attempts, response_code = excluded.response_code, error = excluded.error, last_attempt_at = excluded.last_attempt_at,
         leased_by = NULL, max_attempts = excluded.max_attempts, attempts_before_run = excluded.attempts_before_run,
         ${unlessCancelled('deliveries', Object.fromEntries(movedOn.map((column) => [column, `excluded.${column}`])))}
     WHERE deliveries.attempts = 0 AND deliveries.status IN ('pending', 'cancelled')
   )
   ${failingEndpoints}`,
);

/** @returns which of the endpoints have been failing */
export async function updateDeliveries(tx: EntityManager, attempts: AttemptedDelivery[]): Promise<string[]> {
  const batch = inOrder(attempts);
  const days = ends(batch.map(({ delivery }) => delivery.eventAt));
  return idsOf(await updateAttempted.run(tx, [endpointsOf(batch), ...arraysOf(attemptColumns, batch), ...days]));
}

/** @returns which of the endpoints have been failing */
export async function insertDeliveries(tx: EntityManager, attempts: AttemptedDelivery[]): Promise<string[]> {
  const batch = inOrder(attempts);
  const events = [...new Set(batch.map(({ delivery }) => delivery.unwritten!.event))];
  return idsOf(await insertAttempted.run(tx, [endpointsOf(batch), ...arraysOf(firstAttemptColumns, batch), ...eventValues(events)]));
}

/** @returns those of the attempts whose place in the log is not taken */
export async function withoutRecorded(tx: EntityManager, attempts: AttemptedDelivery[]): Promise<AttemptedDelivery[]> {
  const times = attempts.map(({ delivery }) => delivery.eventAt);
  const rows = await tx.query<{ delivery_id: string; number: number }[]>(
    `SELECT a.delivery_id, a.number FROM attempts a JOIN ${unnest(placeColumns, 1, 'made')} USING (delivery_id, event_at, number)
     WHERE ${isBetween('a.event_at', '$4', '$5')}`,
    [...arraysOf(placeColumns, attempts), ...ends(times)],
  );
  const taken = new Set(rows.map(({ delivery_id, number }) => `${delivery_id} ${number}`));
  return attempts.filter(({ delivery }) => !taken.has(`${delivery.id} ${delivery.attempts + 1}`));
}

/** Two statements that write the same deliveries must not wait for each other in a circle. */
function inOrder(batch: AttemptedDelivery[]): AttemptedDelivery[] {
  return batch.toSorted((a, b) => (a.delivery.id < b.delivery.id ? -1 : 1));
}

function endpointsOf(batch: AttemptedDelivery[]): Buffer {
  return arrayOf('text', [...new Set(batch.map(({ delivery }) => delivery.target.endpointId))]);
}

function idsOf(rows: { id: string }[]): string[] {
  return rows.map(({ id }) => id);
}
