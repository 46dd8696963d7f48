// /api/v1/event-types
import { Controller, Get } from '@nestjs/common';
import { eventTypes } from '@na/contracts';
import { AnyKey } from '../auth/access.js';

@Controller('/api/v1/event-types')
export class EventTypesController {
  @Get()
  @AnyKey()
  list() {
    return { data: eventTypes.map((name) => ({ name })), has_more: false, next_cursor: null };
  }
}
