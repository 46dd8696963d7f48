// What the reference says of /api/v1/webhooks.
import { EndpointSchema } from '@na/contracts';
import { z } from 'zod';
import { extended, listOf, nothing, plain, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';
import { deliveryList } from './deliveries.reference.js';
import { signatureExplanation } from './signature-explanation.js';

export const webhooksTag: Tag = {
  name: 'Webhooks',
  description: 'Addresses of yours that events are sent to, signed, and again until you take them. What arrives is under Events; every delivery can be read under Deliveries.',
};

const webhook = thing(
  'Webhook',
  'A webhook, without its secret.',
  EndpointSchema,
  {
    id: exampleId('we'),
    workspaceId: exampleId('ws'),
    url: 'https://hooks.acme.example/notion-analytics',
    description: 'CRM',
    eventTypes: ['goal.*', 'page.created'],
    retryPolicy: { baseSeconds: 5, factor: 4, maxSeconds: 43_200, maxAttempts: 12 },
    timeoutMs: 15_000,
    status: 'enabled',
    createdAt: at('2026-03-01T12:00:00.000Z'),
    headers: { 'x-tenant': 'acme' },
    rateLimitPerSecond: 20,
    maxInFlight: 10,
  },
  { status: { type: 'string', enum: ['enabled', 'disabled'] } },
);

const webhookWithSecret = extended(
  webhook,
  'WebhookWithSecret',
  'A webhook with its secret: keep it now, no other request shows it.',
  z.object({ secret: z.string().nullable().describe('What deliveries are signed with, `whsec_…`; null in an answer that is repeated for its Idempotency-Key, and in a second try of a request after which it was rotated.') }),
  { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
);

const enabledWebhook = extended(
  webhook,
  'EnabledWebhook',
  'The webhook, and what it missed.',
  z.object({
    missed_events: z.int().min(0).describe('How many events it missed while it was disabled. A replay with `include_missed` sends them.'),
    missed_events_is_partial: z.boolean().describe('Counting them took too long and ended early: they are at least so many.'),
    missed_since: z.iso.datetime().nullable().describe('Since when; null when it missed none.'),
  }),
  { missed_events: 3, missed_events_is_partial: false, missed_since: '2026-03-01T09:00:00.000Z' },
);

const testDelivery = plain(
  'TestDelivery',
  'The delivery that was begun.',
  z.object({ delivery_id: z.string().describe('Can be read at the address in Location, once it is in the table.'), event_id: z.string().describe('The `webhook-id` of the request.') }),
  { delivery_id: exampleId('dlv'), event_id: exampleId('evt') },
);

export const webhookOperations = operations({
  create: {
    id: 'createWebhook',
    summary: 'Create a webhook',
    description: 'No other request shows the secret. It can be rotated, and you may choose it yourself.',
    answer: webhookWithSecret,
    body: {
      url: 'https://hooks.acme.example/notion-analytics',
      description: 'CRM',
      event_types: ['goal.*', 'page.created'],
      headers: { 'x-tenant': 'acme' },
      rate_limit_per_second: 20,
      retry_policy: { base_seconds: 5, max_attempts: 12 },
    },
    // Of the pages: not_found.
    problems: ['conflict', 'not_found'],
  },
  list: { id: 'listWebhooks', summary: 'List webhooks', answer: listOf(webhook), query: { limit: 25 } },
  get: { id: 'getWebhook', summary: 'Read a webhook', answer: webhook },
  update: {
    id: 'updateWebhook',
    summary: 'Change a webhook',
    description: 'A JSON merge patch (RFC 7396): what is not named stays, and null goes back to the default. Headers and fields of the retry policy can be changed one by one.',
    answer: webhook,
    body: { event_types: ['goal.converted'], headers: { 'x-tenant': null, 'x-team': 'growth' }, retry_policy: { max_attempts: 6 } },
  },
  delete: {
    id: 'deleteWebhook',
    summary: 'Delete a webhook',
    description: 'Its unfinished deliveries are cancelled; the table keeps what was recorded of them.',
    answer: nothing,
  },
  enable: { id: 'enableWebhook', summary: 'Enable a webhook', answer: enabledWebhook },
  disable: {
    id: 'disableWebhook',
    summary: 'Disable a webhook',
    description: 'Nothing is sent to it until it is enabled again. Its events are kept, and can then be replayed.',
    answer: webhook,
    body: { reason: 'The CRM moves.' },
  },
  rotate: {
    id: 'rotateWebhookSecret',
    summary: 'Rotate the secret of a webhook',
    description: 'Until the overlap ends, deliveries are signed with both secrets.',
    answer: webhookWithSecret,
    body: { overlap_seconds: 86_400 },
  },
  test: {
    id: 'testWebhook',
    summary: 'Send a test delivery',
    description: "A real, signed delivery of the event type's documented example, of `webhook.test` unless you name another. To a webhook that is disabled, paused or ordered it is attempted once, past everything that waits for it.",
    answer: testDelivery,
    hasLocation: true,
    body: { event_type: 'goal.converted' },
    problems: ['conflict'],
  },
  explain: {
    id: 'explainSignature',
    summary: 'Explain a signature',
    description: 'For whoever is stuck with verifying: send the secret, and the headers and body of a request as they arrived. Nothing of it is kept or logged.',
    answer: signatureExplanation,
    body: {
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      headers: { 'x-webhook-signature': 'sha256=0f5cbd2c1b1b6ac9a1ee0a2dcd3b3cd5f3e2f3c04b2b8a1e1de3a7d2ee43fd60' },
      body: '{"id":"evt_1"}',
    },
  },
  deliveries: { id: 'listWebhookDeliveries', summary: 'List the deliveries of a webhook', description: 'Newest first.', answer: deliveryList, query: { status: 'failed' } },
});
