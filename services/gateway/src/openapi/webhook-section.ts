// The part of the reference that is about what we send: one webhook for each event type, with its payload and the headers of
// an attempt. Pure.
import { eventExamples, eventPayloadSchema, eventTypes, examplePayload, reservedEventTypes, type EventType, type JsonObject } from '@na/contracts';
import { ref } from './answer.js';
import { describeFields } from './descriptions.js';
import type { Tag } from './operation.js';

export const eventsTag: Tag = {
  name: 'Events',
  description:
    'What is sent to webhooks: a `POST` for each event, signed as Standard Webhooks want it. Any 2xx takes the event, 410 disables the webhook, and ' +
    'everything else is tried again. New fields may be added to `data`: ignore what you do not know.',
};

const header = (name: string, description: string, example: string, required = true): JsonObject => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
  example,
});

/** As in components/parameters; docs/webhooks.md explains how they are checked. */
export const attemptHeaders: Record<string, JsonObject> = {
  WebhookId: header('webhook-id', 'The event; the same on every attempt and in every replay, for you to know repeats by.', 'evt_01jq8x3v6kf5hs2m9rb4cn7dtg'),
  WebhookTimestamp: header('webhook-timestamp', 'When this attempt was signed, in Unix seconds.', '1772366400'),
  WebhookSignature: header(
    'webhook-signature',
    '`v1,` and the base64 HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>`, its key being the base64-decoded part of the secret after `whsec_`. Several, separated by spaces, while a rotation of the secret overlaps.',
    'v1,nT6ZmgD/x08y9N8ei/pcVo30toRDK09pBYSjGhgHVQg=',
  ),
  XWebhookSignature: header(
    'X-Webhook-Signature',
    '`sha256=` and the hexadecimal HMAC-SHA256 of the body alone, its key being the secret as it was shown.',
    'sha256=43f5073902ff6fb16422051aaae426470df96be56ab4457e2975642f5fc50c46',
  ),
  XWebhookSignaturePrevious: header(
    'X-Webhook-Signature-Previous',
    'The same with the secret before the current one; only while a rotation overlaps. Several, newest first and separated by spaces, after several rotations.',
    'sha256=0f5cbd2c1b1b6ac9a1ee0a2dcd3b3cd5f3e2f3c04b2b8a1e1de3a7d2ee43fd60',
    false,
  ),
  XWebhookEvent: header('X-Webhook-Event', "The event's type, for routing before parsing.", 'goal.converted'),
  XWebhookDelivery: header('X-Webhook-Delivery', 'This event on its way to this webhook, as `GET /api/v1/deliveries/{id}` shows it.', 'dlv_01jq8x3v6kf5hs2m9rb4cn7dtr'),
  XWebhookAttempt: header('X-Webhook-Attempt', '1 for the first attempt.', '1'),
  Traceparent: header('traceparent', 'W3C trace context: continue our trace, or leave it.', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
};

export function eventSchemaName(type: EventType): string {
  return `${type.replace(/(^|[._])(\w)/g, (_, _separator, letter: string) => letter.toUpperCase())}Event`;
}

export function eventPayloadSchemas(): Record<string, JsonObject> {
  return Object.fromEntries(eventTypes.map((type) => [eventSchemaName(type), { ...describeFields(eventPayloadSchema(type)), description: eventExamples[type].description }]));
}

export function webhookSection(): JsonObject {
  return Object.fromEntries(eventTypes.map((type) => [type, { post: attemptOf(type) }]));
}

function attemptOf(type: EventType): JsonObject {
  return {
    operationId: `on${eventSchemaName(type).replace(/Event$/, '')}`,
    tags: [eventsTag.name],
    summary: eventExamples[type].description.replace(/\..*$/s, ''),
    description: `${eventExamples[type].description}\n\nSent to webhooks that have \`${type}\`, \`${type.replace(/[^.]+$/, '*')}\` or \`*\` among their \`event_types\`.${reservedEventTypes.includes(type) ? ' Reserved: nothing sends it yet, except test deliveries.' : ''}`,
    security: [],
    parameters: Object.keys(attemptHeaders).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    requestBody: {
      required: true,
      description: 'Written once per event: every attempt has the same bytes.',
      content: { 'application/json': { schema: ref(eventSchemaName(type)), example: examplePayload(type) } },
    },
    responses: {
      '2XX': { description: 'The event was taken. What else the answer says is kept for the delivery table.' },
      '410': { description: 'The webhook is gone: it is disabled at once.' },
      '429': { description: 'Too fast: the whole webhook is slowed down, for as long as `Retry-After` says (24 hours at most).' },
      '503': { description: 'Not available: as with 429.' },
      default: { description: 'The attempt failed, redirects included, and the delivery is tried again.' },
    },
  };
}
