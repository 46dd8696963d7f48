// /api/v1/webhooks
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { EndpointSchema, publicJson, type Caller } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { listQuery, Lists, type ListQuery } from '../http/lists.js';
import { idPipe } from '../http/schema-pipe.js';
import { Services } from '../services.js';
import { deliveriesQuery, answerDeliveries, type DeliveriesQuery } from './delivery-list.js';
import { newWebhook, type NewWebhook } from './webhooks.schema.js';

const webhookId = idPipe('we', 'webhook');
const ownDeliveriesQuery = deliveriesQuery.omit({ endpoint_id: true });

@Controller('/api/v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  /** The dispatcher makes the secret and seals it to a key of this request alone: nobody on the bus can read it. */
  @Post()
  @Scoped('webhooks:write')
  async create(@From() caller: Caller, @Body({ schema: newWebhook }) wanted: NewWebhook) {
    const replyKey = createReplyKey();
    const { endpoint, sealedSecret } = await this.services.endpoints.createEndpoint({ caller, ...toProto(wanted), replyPublicKey: replyKey.publicKey });
    return { ...publicJson(EndpointSchema, endpoint!), secret: replyKey.open(sealedSecret) };
  }

  @Get()
  @Scoped('webhooks:read')
  list(@From() caller: Caller, @Query({ schema: listQuery }) query: ListQuery) {
    return this.lists.answer('webhooks', caller, query, async (at) => {
      const { endpoints, hasMore } = await this.services.endpoints.listEndpoints({ caller, ...at });
      return { schema: EndpointSchema, items: endpoints, hasMore };
    });
  }

  @Get(':id')
  @Scoped('webhooks:read')
  async get(@From() caller: Caller, @Param('id', webhookId) id: string) {
    const { endpoint } = await this.services.endpoints.getEndpoint({ caller, id });
    return publicJson(EndpointSchema, endpoint!);
  }

  /** The webhook is asked for first: a list of an unknown one would look like one that has no deliveries yet. */
  @Get(':id/deliveries')
  @Scoped('webhooks:read')
  async deliveries(@From() caller: Caller, @Param('id', webhookId) id: string, @Query({ schema: ownDeliveriesQuery }) query: DeliveriesQuery) {
    await this.services.endpoints.getEndpoint({ caller, id });
    return answerDeliveries(this.lists, this.services, caller, { ...query, endpoint_id: id });
  }
}

function toProto({ url, description, event_types, retry_policy, timeout_ms }: NewWebhook) {
  const retryPolicy = retry_policy ? policyToProto(retry_policy) : undefined;
  return { url, description, eventTypes: event_types, retryPolicy, timeoutMs: timeout_ms ?? undefined };
}

function policyToProto({ base_seconds, factor, max_seconds, max_attempts }: NonNullable<NewWebhook['retry_policy']>) {
  return { baseSeconds: base_seconds, factor, maxSeconds: max_seconds, maxAttempts: max_attempts };
}
