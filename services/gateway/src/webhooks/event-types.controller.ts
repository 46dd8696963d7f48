// /api/v1/event-types
import { Controller, Get } from '@nestjs/common';
import { eventExamples, eventPayloadSchema, eventTypes, examplePayload, reservedEventTypes } from '@na/contracts';
import { AnyKey } from '../auth/access.js';
import { Documented } from '../openapi/operation.js';
import { eventTypeOperations, eventTypesTag } from './event-types.reference.js';

const described = eventTypes.map((name) => ({
  name,
  description: eventExamples[name].description,
  available: !reservedEventTypes.includes(name),
  schema: eventPayloadSchema(name),
  example: examplePayload(name),
}));

@Documented(eventTypesTag, eventTypeOperations)
@Controller('/api/v1/event-types')
export class EventTypesController {
  @Get()
  @AnyKey()
  list() {
    return { data: described, has_more: false, next_cursor: null };
  }
}
