// One attempt at one delivery: sign, send, decide, record. Never throws for what the customer's server does.
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { typeid } from 'typeid-js';
import { inSpan } from '@na/messaging';
import { notingSentTrace, type Clock, type Logger } from '@na/service-host';
import { maskHeaders } from '../endpoints/custom-headers.js';
import type { AttemptedDelivery, DueDelivery } from './delivery.js';
import { requestHeaders, type Headers, type SentRequest } from './request.js';
import { nextStep, type NextStep } from './retry-policy.js';
import type { Outcome, Send } from './send.js';
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
export async function deliver(delivery: DueDelivery, { send, record, clock, random, logger }: DeliverWith): Promise<Outcome> {
  const parent = propagation.extract(context.active(), delivery.traceparent ? { traceparent: delivery.traceparent } : {});
  const attributes = { 'webhook.delivery': delivery.id, 'webhook.endpoint': delivery.target.endpointId, 'webhook.attempt': delivery.attempts + 1 };
  return inSpan({ name: 'webhook attempt', kind: SpanKind.INTERNAL, attributes, parent }, async () => {
    const startedAt = clock.now();
    const { outcome, request } = await exchange(delivery, startedAt, send, logger);
    const endedAt = clock.now();
    const next = stepAfter(delivery, outcome, endedAt, random());
    await record({ delivery, attemptId: typeid('att').toString(), startedAt, endedAt, request, outcome, next });
    logger.info({ ...describe(delivery), ...describeOutcome(outcome), next: next.kind }, 'delivery attempted');
    return outcome;
  });
}

/** By the run of the policy that the delivery is in. */
function stepAfter({ attempts, maxAttempts, attemptsBeforeRun, target }: DueDelivery, outcome: Outcome, now: Date, random: number): NextStep {
  return nextStep(attempts + 1 - attemptsBeforeRun, maxAttempts - attemptsBeforeRun, outcome, target.retryPolicy, now, random);
}

interface Exchanged {
  outcome: Outcome;
  /** Undefined when nothing could be sent. */
  request?: SentRequest;
}

/** A secret that can't be opened is recorded like an endpoint that can't be reached: it stops nobody else, and can be mended. */
async function exchange(delivery: DueDelivery, now: Date, send: Send, logger: Logger): Promise<Exchanged> {
  try {
    return await sendSigned(delivery, now, send);
  } catch (error) {
    logger.error({ err: error, endpoint: delivery.target.endpointId }, 'an attempt could not be signed');
    return { outcome: { kind: 'unanswered', error: 'secret_unavailable', durationMs: 0, phases: {} } };
  }
}

async function sendSigned({ id, eventId, eventType, attempts, payload, target }: DueDelivery, startedAt: Date, send: Send): Promise<Exchanged> {
  const signatures = sign(eventId, payload, target.secrets(startedAt), startedAt);
  const traced = headersOfUnrecordedTrace();
  const facts = { eventId, eventType, deliveryId: id, attempt: attempts + 1, startedAt };
  const headers = requestHeaders(facts, { ...target.headers, ...signatures, ...traced });
  // Into `traced` also comes what is put into the request of a trace that is recorded.
  const outcome = await context.with(notingSentTrace(traced), () => send({ url: target.url, timeoutMs: target.timeoutMs, body: payload, headers }));
  return { outcome, request: { url: target.url, headers: { ...maskHeaders(target.headers), ...signatures, ...traced } } };
}

/** A trace that is recorded is put into the request by undici's instrumentation: see service-host's telemetry/register.ts. */
function headersOfUnrecordedTrace(): Headers {
  const headers: Headers = {};
  if (!trace.getActiveSpan()?.isRecording()) propagation.inject(context.active(), headers);
  return headers;
}

function describe({ id, workspaceId, eventId, eventType, attempts, target }: DueDelivery) {
  return { delivery: id, workspace: workspaceId, endpoint: target.endpointId, event: eventId, event_type: eventType, attempt: attempts + 1 };
}

function describeOutcome(outcome: Outcome) {
  const duration = { duration_ms: Math.round(outcome.durationMs) };
  return outcome.kind === 'answered' ? { ...duration, response_code: outcome.status } : { ...duration, error: outcome.error, detail: outcome.detail };
}
