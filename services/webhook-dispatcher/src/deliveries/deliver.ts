// One attempt at one delivery: sign, send, decide, record. Never throws for what the customer's server does.
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { inSpan } from '@na/messaging';
import { areTracesRecorded, notingSentTrace, type Clock, type Logger } from '@na/service-host';
import { maskHeaders } from '../endpoints/custom-headers.js';
import type { AttemptedDelivery, DueDelivery } from './delivery.js';
import { attemptId } from './ids.js';
import { receivedOf, type Outcome } from './outcome.js';
import { requestHeaders, type Headers, type SentRequest } from './request.js';
import { nextStep, type NextStep } from './retry-policy.js';
import type { Send, WebhookRequest } from './send.js';
import { sign } from './sign.js';

export interface DeliverWith {
  send: Send;
  /** Sees to it that the attempt comes into the database; resolves when another may be made. */
  record: (attempted: AttemptedDelivery) => Promise<void>;
  clock: Clock;
  random: () => number;
  logger: Logger;
}

/** @returns what the endpoint answered, for its lane to go by */
export function deliver(delivery: DueDelivery, by: DeliverWith): Promise<Outcome> {
  const parent = propagation.extract(ROOT_CONTEXT, delivery.traceparent ? { traceparent: delivery.traceparent } : {});
  const attributes = { 'webhook.delivery': delivery.id, 'webhook.endpoint': delivery.target.endpointId, 'webhook.attempt': delivery.attempts + 1 };
  return inSpan({ name: 'webhook attempt', kind: SpanKind.INTERNAL, attributes, parent }, () => attempt(delivery, by));
}

async function attempt(delivery: DueDelivery, { send, record, clock, random, logger }: DeliverWith): Promise<Outcome> {
  const startedAt = clock.now();
  const request = signedRequest(delivery, startedAt, logger);
  const outcome = request ? await sendTraced(request, send) : unsigned;
  const endedAt = clock.now();
  const next = stepAfter(delivery, outcome, endedAt, random());
  await record({ delivery, attemptId: attemptId(delivery.id, startedAt), startedAt, endedAt, request: request?.sent, outcome, next });
  logger.info({ ...describe(delivery), ...describeOutcome(outcome), next: next.kind }, 'delivery attempted');
  return outcome;
}

/** By the run of the policy that the delivery is in. */
function stepAfter({ attempts, maxAttempts, attemptsBeforeRun, eventAt, isOnlyAttempt, target }: DueDelivery, outcome: Outcome, now: Date, random: number): NextStep {
  const attemptInAll = attempts + 1;
  const run = { attempt: attemptInAll - attemptsBeforeRun, attemptInAll, maxAttempts: maxAttempts - attemptsBeforeRun, eventAt, isOnlyAttempt };
  return nextStep(run, outcome, target.retryPolicy, now, random);
}

interface SignedRequest extends WebhookRequest {
  /** What is recorded of it. Into its trace headers also comes what is put into the request of a trace that is recorded. */
  sent: SentRequest;
}

/** Recorded like an endpoint that can't be reached: it stops nobody else, and can be mended. */
const unsigned: Outcome = { kind: 'unanswered', error: 'secret_unavailable', durationMs: 0, phases: {} };

/** @returns undefined when a secret can't be opened */
function signedRequest({ id, eventId, eventType, attempts, payload, traceparent, target }: DueDelivery, startedAt: Date, logger: Logger): SignedRequest | undefined {
  const { url, timeoutMs } = target;
  try {
    const signatures = sign(eventId, payload, target.secrets(startedAt), startedAt);
    const traced = isTraceRecorded() ? {} : headersOfUnrecordedTrace(traceparent);
    const headers = requestHeaders({ eventId, eventType, deliveryId: id, attempt: attempts + 1, startedAt }, { ...target.headers, ...signatures, ...traced });
    return { url, timeoutMs, body: payload, headers, sent: { url, headers: { ...maskHeaders(target.headers), ...signatures, ...traced } } };
  } catch (error) {
    logger.error({ err: error, endpoint: target.endpointId }, 'an attempt could not be signed');
    return undefined;
  }
}

function sendTraced(request: SignedRequest, send: Send): Promise<Outcome> {
  return isTraceRecorded() ? context.with(notingSentTrace(request.sent.headers), () => send(request)) : send(request);
}

/** One that is recorded is put into the request by undici's instrumentation: see service-host's telemetry/register.ts. */
function headersOfUnrecordedTrace(traceparent: string | null): Headers {
  if (!areTracesRecorded && traceparent) return { traceparent };
  const headers: Headers = {};
  propagation.inject(context.active(), headers);
  return headers;
}

function isTraceRecorded(): boolean {
  return areTracesRecorded && trace.getActiveSpan()?.isRecording() === true;
}

function describe({ id, workspaceId, eventId, eventType, attempts, target }: DueDelivery) {
  return { delivery: id, workspace: workspaceId, endpoint: target.endpointId, event: eventId, event_type: eventType, attempt: attempts + 1 };
}

function describeOutcome(outcome: Outcome) {
  const duration = { duration_ms: Math.round(outcome.durationMs) };
  const answered = { ...duration, response_code: receivedOf(outcome)?.status };
  return outcome.kind === 'answered' ? answered : { ...answered, error: outcome.error, detail: outcome.detail };
}
