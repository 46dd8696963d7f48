// /api/v1/deliveries
import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { AttemptSchema, DeliverySchema, etagOfJson, publicJson, type Caller, type DeliveryRequest, type GetDeliveryResponse } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { By, From } from '../auth/identity.js';
import { hasScope, type Principal } from '../auth/principal.js';
import { Lists } from '../http/lists.js';
import { resource, Resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import { IsRepeat, NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { deliveryOperations, deliveriesTag } from './deliveries.reference.js';
import { answerDeliveries, deliveriesQuery, type DeliveriesQuery } from './delivery-list.js';

const deliveryId = idPipe('dlv', 'delivery');

@Documented(deliveriesTag, deliveryOperations)
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
  async get(@From() caller: Caller, @By() principal: Principal, @Param('id', deliveryId) id: string) {
    return explained(await this.services.deliveries.getDelivery({ caller, id }), hasScope(principal, 'webhooks:write'));
  }

  @Post(':id/retry')
  @HttpCode(202)
  @Scoped('webhooks:write')
  async retry(@From() caller: Caller, @NewId('retry') retryId: string, @Param('id', deliveryId) id: string) {
    const { delivery } = await this.services.deliveries.retryDelivery({ caller, id, retryId });
    return resource(DeliverySchema, delivery!, {}, `/api/v1/deliveries/${id}`);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Scoped('webhooks:write')
  async cancel(@From() caller: Caller, @IsRepeat() isRepeat: boolean, @Param('id', deliveryId) id: string) {
    const { delivery } = await this.services.deliveries.cancelDelivery({ caller, id, isRepeat });
    return resource(DeliverySchema, delivery!);
  }
}

/** @returns the delivery with what was sent and each attempt at it */
function explained({ delivery, request, attemptLog }: GetDeliveryResponse, mayChange: boolean): Resource {
  const json = {
    ...publicJson(DeliverySchema, delivery!),
    request: request ? sent(request, mayChange) : null,
    attempt_log: attemptLog.map((attempt) => publicJson(AttemptSchema, attempt)),
  };
  return new Resource(json, { etag: etagOfJson(json) });
}

/**
 * Signatures of the body alone: whoever has them can send the body once more, at any time. Whoever only reads is not shown them; the
 * one of Standard Webhooks covers a time, and is.
 */
const timelessSignatures = new Set(['x-webhook-signature', 'x-webhook-signature-previous']);

/** No request goes without a URL and headers: where they are empty, they are not known. */
function sent(request: DeliveryRequest, mayChange: boolean) {
  const { url, body } = request;
  const headers = Object.entries(request.headers).filter(([name]) => mayChange || !timelessSignatures.has(name));
  return { url: url || null, body, headers: headers.length > 0 ? Object.fromEntries(headers) : null };
}
