// What the reference says of /api/v1/event-types.
import { eventExamples, eventPayloadSchema, examplePayload } from '@na/contracts';
import { z } from 'zod';
import { listOf, plain } from '../openapi/answer.js';
import { operations, type Tag } from '../openapi/operation.js';

export const eventTypesTag: Tag = { name: 'Event types', description: 'What webhooks can be told of.' };

const eventType = plain(
  'EventType',
  'A type of event.',
  z.object({
    name: z.string().describe('As in `event_types` of a webhook.'),
    description: z.string().describe('When it happens.'),
    available: z.boolean().describe('Whether it is sent today. A webhook can ask for the others already: their form is settled, and only test deliveries bring them yet.'),
    schema: z.looseObject({}).describe('JSON Schema (draft 2020-12) of the body of its deliveries.'),
    example: z.looseObject({}).describe('An example of that body.'),
  }),
  {
    name: 'webhook.test',
    description: eventExamples['webhook.test'].description,
    available: true,
    schema: eventPayloadSchema('webhook.test'),
    example: examplePayload('webhook.test'),
  },
);

export const eventTypeOperations = operations({
  list: { id: 'listEventTypes', summary: 'List event types', description: 'All of them at once.', answer: listOf(eventType) },
});
