// The statements that record a batch of attempts, and the columns of their parameters.
import type { EntityManager } from 'typeorm';
import { ends, isBetween, plainColumn, timeColumn } from './columns.js';
import { awaitsSuccess } from '../health/health-store.js';
import type { AttemptedDelivery } from './delivery.js';
import { eventValues, logEvents } from './event-log.js';
import { Statement } from '../statement.js';

/** Columns of `result`, with their types, as `attemptValues` gives them. */
const attemptColumns = [
  ['delivery_id', 'text'], ['event_at', 'timestamptz'], ['number', 'integer'], ['id', 'text'], ['started_at', 'timestamptz'],
  ['duration_ms', 'double precision'], ['response_code', 'integer'], ['response_headers', 'jsonb'], ['response_body', 'text'], ['error', 'text'],
  ['url', 'text'], ['request_headers', 'jsonb'], ['queued_ms', 'double precision'], ['connected_ms', 'double precision'], ['head_ms', 'double precision'],
  ['status', 'text'], ['next_attempt_at', 'timestamptz'],
] as const;

/** And as `deliveryValues` gives them. */
const deliveryColumns = [
  ['workspace_id', 'text'], ['endpoint_id', 'text'], ['event_id', 'text'], ['event_type', 'text'], ['max_attempts', 'integer'], ['created_at', 'timestamptz'],
] as const;

/** Both the `result` of a batch, a row for each attempt, and the log of attempts. The parameters are numbered from 2. */
function resultOf(columns: (readonly [name: string, type: string])[]): string {
  const logged = 'delivery_id, event_at, number, id, started_at, duration_ms, response_code, response_headers, response_body, error, url, request_headers, queued_ms, connected_ms, head_ms';
  return `result AS (
    SELECT * FROM unnest(${columns.map(([, type], index) => `$${index + 2}::${type}[]`).join(', ')}) AS r (${columns.map(([name]) => name).join(', ')})
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
  `WITH ${resultOf([...attemptColumns])}, moved AS (
     UPDATE deliveries d
     SET attempts = r.number, response_code = r.response_code, error = r.error, last_attempt_at = r.started_at,
         leased_by = NULL,
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
  `WITH ${resultOf([...attemptColumns, ...deliveryColumns])}, ${logEvents(2 + attemptColumns.length + deliveryColumns.length)}, made AS (
     INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, max_attempts, created_at,
                             status, attempts, response_code, error, last_attempt_at, next_attempt_at, due_at, completed_at)
     SELECT r.delivery_id, r.event_at, r.workspace_id, r.endpoint_id, r.event_id, r.event_type, r.max_attempts, r.created_at,
            r.status, r.number, r.response_code, r.error, r.started_at, r.next_attempt_at, r.next_attempt_at, ${completedAt}
     FROM result r
     ON CONFLICT (id, event_at) DO UPDATE
     SET attempts = excluded.attempts, response_code = excluded.response_code, error = excluded.error, last_attempt_at = excluded.last_attempt_at,
         leased_by = NULL, ${unlessCancelled('deliveries', Object.fromEntries(movedOn.map((column) => [column, `excluded.${column}`])))}
     WHERE deliveries.attempts = 0 AND deliveries.status IN ('pending', 'cancelled')
   )
   ${failingEndpoints}`,
);

/** @returns which of the endpoints have been failing */
export async function updateDeliveries(tx: EntityManager, attempts: AttemptedDelivery[]): Promise<string[]> {
  const batch = inOrder(attempts);
  const days = ends(batch.map(({ delivery }) => delivery.eventAt));
  return idsOf(await updateAttempted.run(tx, [endpointsOf(batch), ...attemptValues(batch), ...days]));
}

/** @returns which of the endpoints have been failing */
export async function insertDeliveries(tx: EntityManager, attempts: AttemptedDelivery[]): Promise<string[]> {
  const batch = inOrder(attempts);
  const events = [...new Set(batch.map(({ delivery }) => delivery.unwritten!.event))];
  return idsOf(await insertAttempted.run(tx, [endpointsOf(batch), ...attemptValues(batch), ...deliveryValues(batch), ...eventValues(events)]));
}

/** @returns those of the attempts whose place in the log is not taken */
export async function withoutRecorded(tx: EntityManager, attempts: AttemptedDelivery[]): Promise<AttemptedDelivery[]> {
  const times = attempts.map(({ delivery }) => delivery.eventAt);
  const rows = await tx.query<{ delivery_id: string; number: number }[]>(
    `SELECT a.delivery_id, a.number FROM attempts a JOIN unnest($1::text[], $2::timestamptz[], $3::integer[]) AS made (delivery_id, event_at, number) USING (delivery_id, event_at, number)
     WHERE ${isBetween('a.event_at', '$4', '$5')}`,
    [attempts.map(({ delivery }) => delivery.id), times, attempts.map(({ delivery }) => delivery.attempts + 1), ...ends(times)],
  );
  const taken = new Set(rows.map(({ delivery_id, number }) => `${delivery_id} ${number}`));
  return attempts.filter(({ delivery }) => !taken.has(`${delivery.id} ${delivery.attempts + 1}`));
}

/** Two statements that write the same deliveries must not wait for each other in a circle. */
function inOrder(batch: AttemptedDelivery[]): AttemptedDelivery[] {
  return batch.toSorted((a, b) => (a.delivery.id < b.delivery.id ? -1 : 1));
}

function endpointsOf(batch: AttemptedDelivery[]): string {
  return plainColumn([...new Set(batch.map(({ delivery }) => delivery.target.endpointId))]);
}

function attemptValues(batch: AttemptedDelivery[]): unknown[] {
  const column = <T>(value: (attempted: AttemptedDelivery) => T): T[] => batch.map(value);
  return [
    plainColumn(column(({ delivery }) => delivery.id)),
    timeColumn(column(({ delivery }) => delivery.eventAt)),
    plainColumn(column(({ delivery }) => delivery.attempts + 1)),
    plainColumn(column(({ attemptId }) => attemptId)),
    timeColumn(column(({ startedAt }) => startedAt)),
    plainColumn(column(({ outcome }) => outcome.durationMs)),
    plainColumn(column(({ outcome }) => (outcome.kind === 'answered' ? outcome.status : null))),
    column(({ outcome }) => (outcome.kind === 'answered' ? JSON.stringify(outcome.headers) : '{}')),
    column(({ outcome }) => (outcome.kind === 'answered' ? outcome.body : null)),
    plainColumn(column(({ outcome }) => (outcome.kind === 'unanswered' ? outcome.error : null))),
    column(({ request }) => request?.url ?? null),
    column(({ request }) => (request ? JSON.stringify(request.headers) : null)),
    plainColumn(column(({ startedAt, delivery }) => startedAt.getTime() - delivery.takenAt.getTime())),
    plainColumn(column(({ outcome }) => outcome.phases.connectedMs ?? null)),
    plainColumn(column(({ outcome }) => outcome.phases.headMs ?? null)),
    plainColumn(column(({ next }) => (next.kind === 'retry' ? 'retrying' : next.kind))),
    timeColumn(column(({ next }) => (next.kind === 'retry' ? next.at : null))),
  ];
}

function deliveryValues(batch: AttemptedDelivery[]): unknown[] {
  const deliveries = batch.map(({ delivery }) => delivery);
  return [
    plainColumn(deliveries.map(({ workspaceId }) => workspaceId)),
    plainColumn(deliveries.map(({ target }) => target.endpointId)),
    plainColumn(deliveries.map(({ eventId }) => eventId)),
    plainColumn(deliveries.map(({ eventType }) => eventType)),
    plainColumn(deliveries.map(({ maxAttempts }) => maxAttempts)),
    timeColumn(deliveries.map(({ takenAt }) => takenAt)),
  ];
}

function idsOf(rows: { id: string }[]): string[] {
  return rows.map(({ id }) => id);
}
