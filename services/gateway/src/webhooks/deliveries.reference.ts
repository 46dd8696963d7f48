// What the reference says of /api/v1/deliveries.
import { AttemptSchema, DeliveryRequestSchema, DeliverySchema } from '@na/contracts';
import { z } from 'zod';
import { extended, listOf, ref, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';
import { zodJsonSchema } from '../openapi/zod-json-schema.js';
import { deliveryStatus } from './delivery-list.js';

export const deliveriesTag: Tag = {
  name: 'Deliveries',
  description: 'The delivery table: each event on its way to each webhook, with what was sent, what was answered, and when it is tried again.',
};

const delivery = thing(
  'Delivery',
  'A delivery: one event on its way to one webhook.',
  DeliverySchema,
  {
    id: exampleId('dlv'),
    workspaceId: exampleId('ws'),
    endpointId: exampleId('we'),
    eventId: exampleId('evt'),
    eventType: 'goal.converted',
    status: 'retrying',
    attempts: 3,
    maxAttempts: 12,
    responseCode: 503,
    responseBody: 'try again later',
    createdAt: at('2026-03-01T12:00:00.250Z'),
    eventCreatedAt: at('2026-03-01T12:00:00.000Z'),
    lastAttemptAt: at('2026-03-01T12:00:26.112Z'),
    nextRetryAt: at('2026-03-01T12:01:43.000Z'),
  },
  { status: zodJsonSchema(deliveryStatus, 'output') },
);

const unknown = 'Null before any attempt, where nothing could be sent, and of attempts from before requests were recorded.';

const request = thing(
  'DeliveryRequest',
  'The request of the latest attempt, as it was sent. Its `headers` and `body` can be given to `POST /api/v1/webhooks/signature/explain`. Keys without `webhooks:write` are not shown `x-webhook-signature`, with which the body could be sent again.',
  DeliveryRequestSchema,
  {
    url: 'https://hooks.acme.example/notion-analytics',
    body: '{"id":"evt_…","type":"goal.converted",…}',
    headers: {
      authorization: '•••',
      'content-type': 'application/json',
      'user-agent': 'NotionAnalytics-Webhooks/1',
      'webhook-id': exampleId('evt'),
      'webhook-timestamp': '1772366426',
      'webhook-signature': 'v1,nT6ZmgD/x08y9N8ei/pcVo30toRDK09pBYSjGhgHVQg=',
      'x-webhook-signature': 'sha256=43f5073902ff6fb16422051aaae426470df96be56ab4457e2975642f5fc50c46',
      'x-webhook-event': 'goal.converted',
      'x-webhook-delivery': exampleId('dlv'),
      'x-webhook-attempt': '3',
    },
  },
  {
    url: { type: ['string', 'null'], description: `Where it was sent, whatever the webhook's URL is now. ${unknown}` },
    headers: {
      type: ['object', 'null'],
      description: `By lower-case name. Values of the webhook's own headers that look like credentials are masked, as in the webhook. ${unknown}`,
    },
  },
);

const attempt = thing('Attempt', 'One attempt at a delivery.', AttemptSchema, {
  id: exampleId('att'),
  number: 3,
  startedAt: at('2026-03-01T12:00:26.000Z'),
  durationMs: 112.4,
  responseCode: 503,
  responseHeaders: { 'retry-after': '60' },
  responseBody: 'try again later',
  url: 'https://hooks.acme.example/notion-analytics',
  queuedMs: 0.8,
  connectedMs: 31.2,
  headMs: 112.1,
});

const explained = extended(
  delivery,
  'ExplainedDelivery',
  'A delivery with what was sent and each attempt at it.',
  z.object({
    request: z.unknown().meta({ anyOf: [ref(request.name), { type: 'null' }], description: 'What was sent on the latest attempt; before any, its body alone.' }),
    attempt_log: z.array(z.unknown().meta(ref(attempt.name))).describe('Every attempt, the first one first.'),
  }),
  { request: request.example!, attempt_log: [attempt.example!] },
  [request, attempt],
);

export const deliveryList = listOf(delivery);

export const deliveryOperations = operations({
  list: {
    id: 'listDeliveries',
    summary: 'List deliveries',
    description: 'Newest event first: ordered by `event_created_at`, which `since` and `until` compare too. A replay of missed events makes deliveries whose `created_at` is much later; they stand where their events belong.',
    answer: deliveryList,
    query: { status: 'failed', event_type: 'goal.converted', since: '2026-03-01T00:00:00Z' },
  },
  get: { id: 'getDelivery', summary: 'Read a delivery', answer: explained },
  retry: {
    id: 'retryDelivery',
    summary: 'Retry a delivery',
    description: 'One more attempt at once, whatever the schedule says; of a finished delivery too.',
    answer: delivery,
    problems: ['conflict'],
  },
  cancel: {
    id: 'cancelDelivery',
    summary: 'Cancel a delivery',
    description: 'No further attempt. One that is under way ends, and is recorded and counted; the delivery stays cancelled, even if that attempt succeeds.',
    answer: delivery,
    problems: ['conflict'],
  },
});
