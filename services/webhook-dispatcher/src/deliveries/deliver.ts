// One attempt at one delivery: sign, send, decide, record. Never throws for what the customer's server does.
import { context, propagation, SpanKind } from '@opentelemetry/api';
import { typeid } from 'typeid-js';
import { inSpan } from '@na/messaging';
import type { Clock, Logger } from '@na/service-host';
import type { AttemptedDelivery, DueDelivery } from './delivery.js';
import { nextStep } from './retry-policy.js';
import type { Outcome, Send, WebhookRequest } from './send.js';
import { sign } from './sign.js';

export interface DeliverWith {
  send: Send;
  /** Sees to it that the attempt comes into the database; resolves when another may be made. */
  record: (attempted: AttemptedDelivery) => Promise<void>;
  clock: Clock;
  random: () => number;
  logger: Logger;
}

export async function deliver(delivery: DueDelivery, { send, record, clock, random, logger }: DeliverWith): Promise<void> {
  const parent = propagation.extract(context.active(), delivery.traceparent ? { traceparent: delivery.traceparent } : {});
  const attributes = { 'webhook.delivery': delivery.id, 'webhook.endpoint': delivery.target.endpointId, 'webhook.attempt': delivery.attempts + 1 };
  await inSpan({ name: 'webhook attempt', kind: SpanKind.INTERNAL, attributes, parent }, async () => {
    const startedAt = clock.now();
    const outcome = await send(requestFor(delivery, startedAt));
    const next = nextStep(delivery.attempts + 1, outcome, delivery.target.retryPolicy, clock.now(), random());
    await record({ delivery, attemptId: typeid('att').toString(), startedAt, outcome, next });
    logger.info({ ...describe(delivery), ...describeOutcome(outcome), next: next.kind }, 'delivery attempted');
  });
}

function requestFor(delivery: DueDelivery, now: Date): WebhookRequest {
  const { target, payload, eventId } = delivery;
  return {
    url: target.url,
    timeoutMs: target.timeoutMs,
    body: payload,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'NotionAnalytics-Webhooks/1',
      ...sign(eventId, payload, target.secret, now),
      'x-webhook-event': delivery.eventType,
      'x-webhook-delivery': delivery.id,
      'x-webhook-attempt': String(delivery.attempts + 1),
    },
  };
}

function describe({ id, workspaceId, eventId, eventType, attempts, target }: DueDelivery) {
  return { delivery: id, workspace: workspaceId, endpoint: target.endpointId, event: eventId, event_type: eventType, attempt: attempts + 1 };
}

function describeOutcome(outcome: Outcome) {
  const duration = { duration_ms: Math.round(outcome.durationMs) };
  return outcome.kind === 'answered' ? { ...duration, response_code: outcome.status } : { ...duration, error: outcome.error };
}
