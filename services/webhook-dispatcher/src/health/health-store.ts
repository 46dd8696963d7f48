// Brings the health of endpoints up to date with their attempts, in the transaction that records these, along with the
// events and alerts that follow. It is on the path of every attempt: where nothing is wrong it reads one index and locks,
// writes and waits for nothing.
import { appendToOutbox, eventMessage } from '@na/outbox';
import type { EntityManager } from 'typeorm';
import { Statement } from '../statement.js';
import { enqueueAlerts } from '../alerts/alert-queue.js';
import { afterAttempts, type AttemptOutcome, type EndpointHealth, type HealthPolicy, type HealthSignal, type Judgement } from './endpoint-health.js';
import { eventOf, type SignalledEndpoint } from './health-events.js';

interface EndpointRow {
  id: string;
  workspace_id: string;
  url: string;
  description: string;
  failing_since: Date | null;
  failed_attempts: number;
  warnings: number;
  told_since: Date | null;
  failed_before: number;
  paused_until: Date | null;
  enabled_at: Date | null;
}

/** An attempt, as far as it means something for its endpoint. */
export interface EndpointOutcome extends AttemptOutcome {
  /** Where it was sent. */
  url: string;
  /** It asked to be left alone until then. */
  pausedUntil?: Date;
}

interface Judged extends Judgement {
  /** The longest pause it has asked for. */
  pausedUntil: Date | undefined;
  wasPausedUntil: Date | null;
  endpoint: SignalledEndpoint & { description: string };
}

/** It was not paused, and has asked to be left alone. */
export interface PauseSignal {
  kind: 'paused';
  until: Date;
}

export interface EndpointSignal {
  endpoint: SignalledEndpoint;
  signal: HealthSignal | PauseSignal;
}

/**
 * @param byEndpoint the outcomes of each endpoint's attempts, in the order they were made
 * @returns what changed for others; after the commit hand it to `reportSignals`, and wake the outbox relay and the alert sender
 */
export async function applyOutcomes(
  tx: EntityManager,
  byEndpoint: Map<string, EndpointOutcome[]>,
  now: Date,
  policy: HealthPolicy,
): Promise<EndpointSignal[]> {
  const rows = await lockConcerned(tx, byEndpoint);
  if (rows.length === 0) return [];
  const judged = rows.map((row) => judge(row, byEndpoint.get(row.id) ?? [], policy));
  await writeHealth(tx, judged, now);
  const told = judged.flatMap(({ endpoint, signals }) => signals.map((signal) => ({ endpoint, signal, event: eventOf(endpoint, signal, now) })));
  await appendToOutbox(tx, told.map(({ event }) => eventMessage(event)));
  await enqueueAlerts(tx, told.map(({ endpoint, signal, event }) => ({ id: event.id, endpoint, signal })), now);
  return [...told, ...judged.flatMap((one) => pauseSignal(one, now))];
}

/** Condition that a success means something to an endpoint. */
export const awaitsSuccess = '(failing_since IS NOT NULL OR told_since IS NOT NULL)';

const selectConcerned = new Statement<EndpointRow>(
  'endpoints concerned by attempts',
  `SELECT id, workspace_id, url, description, failing_since, failed_attempts, warnings, told_since, failed_before, paused_until, enabled_at FROM endpoints
   WHERE id = ANY($1) AND (id = ANY($2) OR ${awaitsSuccess}) AND status = 'enabled' AND deleted_at IS NULL
   ORDER BY id FOR UPDATE`,
);

/**
 * A success matters only to an endpoint that has been failing. One that begins to fail while a success is being recorded
 * is as if it had failed afterwards. In the order of ids, so that replicas never wait for each other in a circle.
 */
async function lockConcerned(tx: EntityManager, byEndpoint: Map<string, EndpointOutcome[]>): Promise<EndpointRow[]> {
  const failed = [...byEndpoint].filter(([, outcomes]) => outcomes.some(({ succeeded }) => !succeeded));
  return selectConcerned.run(tx, [[...byEndpoint.keys()], failed.map(([id]) => id)]);
}

function judge(row: EndpointRow, outcomes: EndpointOutcome[], policy: HealthPolicy): Judged {
  const { id, workspace_id: workspaceId, url, description } = row;
  const before: EndpointHealth = {
    status: 'enabled',
    failingSince: row.failing_since,
    failedAttempts: row.failed_attempts,
    warnings: row.warnings,
    toldSince: row.told_since,
    failedBefore: row.failed_before,
  };
  const telling = outcomes.filter((outcome) => isOfEndpointAsItIs(outcome, row));
  const pauses = telling.flatMap((outcome) => outcome.pausedUntil?.getTime() ?? []);
  const pausedUntil = pauses.length > 0 ? new Date(Math.max(...pauses)) : undefined;
  return { endpoint: { id, workspaceId, url, description }, pausedUntil, wasPausedUntil: row.paused_until, ...afterAttempts(before, telling, policy) };
}

/** What the server at an address of before answered, or one that has been mended since, is not held against the one that is there now. */
function isOfEndpointAsItIs(outcome: EndpointOutcome, { url, enabled_at: enabledAt }: EndpointRow): boolean {
  return outcome.url === url && (!enabledAt || outcome.at >= enabledAt);
}

function pauseSignal({ endpoint, pausedUntil: until, wasPausedUntil }: Judged, now: Date): EndpointSignal[] {
  const isNew = until !== undefined && !(wasPausedUntil && wasPausedUntil > now);
  return isNew ? [{ endpoint, signal: { kind: 'paused', until } }] : [];
}

const updateHealth = new Statement(
  'health of endpoints',
  `UPDATE endpoints e
   SET status = h.status, failing_since = h.failing_since, failed_attempts = h.failed_attempts, warnings = h.warnings,
       told_since = h.told_since, failed_before = h.failed_before, paused_until = greatest(e.paused_until, h.paused_until),
       disabled_reason = COALESCE(h.disabled_reason, e.disabled_reason),
       disabled_at = CASE WHEN h.status = 'disabled' THEN $10::timestamptz ELSE e.disabled_at END
   FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::integer[], $5::integer[], $6::timestamptz[], $7::integer[], $8::timestamptz[], $9::text[])
     AS h (id, status, failing_since, failed_attempts, warnings, told_since, failed_before, paused_until, disabled_reason)
   WHERE e.id = h.id`,
);

async function writeHealth(tx: EntityManager, judged: Judged[], now: Date): Promise<void> {
  await updateHealth.run(tx, [
    judged.map(({ endpoint }) => endpoint.id),
    judged.map(({ health }) => health.status),
    judged.map(({ health }) => health.failingSince),
    judged.map(({ health }) => health.failedAttempts),
    judged.map(({ health }) => health.warnings),
    judged.map(({ health }) => health.toldSince),
    judged.map(({ health }) => health.failedBefore),
    judged.map(({ pausedUntil }) => pausedUntil ?? null),
    judged.map(({ signals }) => disabledReason(signals)),
    now,
  ]);
}

function disabledReason(signals: HealthSignal[]): string | null {
  const signal = signals.find(({ kind }) => kind === 'disabled');
  return signal?.kind === 'disabled' ? signal.reason : null;
}
