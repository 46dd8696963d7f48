// /api/v1/deliveries
import { Controller, Get, Param, Query } from '@nestjs/common';
import { AttemptSchema, DeliveryRequestSchema, DeliverySchema, publicJson, type Caller } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { Lists } from '../http/lists.js';
import { idPipe } from '../http/schema-pipe.js';
import { Services } from '../services.js';
import { answerDeliveries, deliveriesQuery, type DeliveriesQuery } from './delivery-list.js';

@Controller('/api/v1/deliveries')
export class DeliveriesController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Get()
  @Scoped('webhooks:read')
  list(@From() caller: Caller, @Query({ schema: deliveriesQuery }) query: DeliveriesQuery) {
    return answerDeliveries(this.lists, this.services, caller, query);
  }

  @Get(':id')
  @Scoped('webhooks:read')
  async get(@From() caller: Caller, @Param('id', idPipe('dlv', 'delivery')) id: string) {
    const { delivery, request, attemptLog } = await this.services.deliveries.getDelivery({ caller, id });
    return {
      ...publicJson(DeliverySchema, delivery!),
      request: request ? publicJson(DeliveryRequestSchema, request) : null,
      attempt_log: attemptLog.map((attempt) => publicJson(AttemptSchema, attempt)),
    };
  }
}
