// /api/v1/webhooks
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { EndpointSchema, type Caller } from '@na/contracts';
import { explainSignature } from '@notion-analytics/webhook-signature';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { IfMatch } from '../http/if-match.js';
import { listQuery, Lists, type ListQuery } from '../http/lists.js';
import { resource, Resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import type { Claim } from '../idempotency/idempotency-records.js';
import { ByClaim, IsRepeat, NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { refuseUnknownPages } from '../pages/unknown-pages.js';
import { Services } from '../services.js';
import { countingMs } from '../slow-calls.js';
import { answerDeliveries, ownDeliveriesQuery, type DeliveriesQuery } from './delivery-list.js';
import { exchangeSecret } from './secret-exchange.js';
import { patchToProto, settingsToProto } from './webhook-settings.js';
import { webhookOperations, webhooksTag } from './webhooks.reference.js';
import {
  defaultTestType,
  disabling,
  newWebhook,
  rotation,
  signedRequest,
  testDelivery,
  webhookPatch,
  type Disabling,
  type NewWebhook,
  type Rotation,
  type SignedRequest,
  type TestDelivery,
  type WebhookPatch,
} from './webhooks.schema.js';

const webhookId = idPipe('we', 'webhook');

@Documented(webhooksTag, webhookOperations)
@Controller('/api/v1/webhooks')
export class WebhooksController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Post()
  @Scoped('webhooks:write')
  async create(@From() caller: Caller, @NewId('we') id: string, @Body({ schema: newWebhook }) { secret, ...wanted }: NewWebhook) {
    await refuseUnknownPages(this.services.pages, caller, wanted.page_ids);
    const { sealed, open } = await exchangeSecret(this.services.endpoints, secret);
    const { endpoint, sealedSecret } = await this.services.endpoints.createEndpoint({ caller, id, ...settingsToProto(wanted), ...sealed });
    return resource(EndpointSchema, endpoint!, { secret: open(sealedSecret) });
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
    return resource(EndpointSchema, endpoint!);
  }

  @Patch(':id')
  @Scoped('webhooks:write')
  async update(@From() caller: Caller, @Param('id', webhookId) id: string, @IfMatch() ifMatch: string | undefined, @Body({ schema: webhookPatch }) patch: WebhookPatch) {
    await refuseUnknownPages(this.services.pages, caller, patch.page_ids);
    const { endpoint } = await this.services.endpoints.updateEndpoint({ caller, id, ifMatch, ...patchToProto(patch) });
    return resource(EndpointSchema, endpoint!);
  }

  @Delete(':id')
  @HttpCode(204)
  @Scoped('webhooks:write')
  async delete(@From() caller: Caller, @Param('id', webhookId) id: string, @IfMatch() ifMatch: string | undefined): Promise<void> {
    await this.services.endpoints.deleteEndpoint({ caller, id, ifMatch });
  }

  @Post(':id/enable')
  @HttpCode(200)
  @Scoped('webhooks:write')
  async enable(@From() caller: Caller, @IsRepeat() isRepeat: boolean, @Param('id', webhookId) id: string) {
    const { endpoint, missedEvents, missedEventsIsPartial, missedSince } = await this.services.endpoints.enableEndpoint({ caller, id, isRepeat }, { timeoutMs: countingMs });
    return resource(EndpointSchema, endpoint!, {
      missed_events: missedEvents,
      missed_events_is_partial: missedEventsIsPartial,
      missed_since: missedSince ? timestampDate(missedSince).toISOString() : null,
    });
  }

  @Post(':id/disable')
  @HttpCode(200)
  @Scoped('webhooks:write')
  async disable(@From() caller: Caller, @Param('id', webhookId) id: string, @Body({ schema: disabling }) why: Disabling) {
    const { endpoint } = await this.services.endpoints.disableEndpoint({ caller, id, reason: why?.reason ?? '' });
    return resource(EndpointSchema, endpoint!);
  }

  @Post(':id/secret/rotate')
  @HttpCode(200)
  @Scoped('webhooks:write')
  async rotate(
    @From() caller: Caller,
    @NewId('rotation') rotationId: string,
    @Param('id', webhookId) id: string,
    @IfMatch() ifMatch: string | undefined,
    @Body({ schema: rotation }) wanted: Rotation,
  ) {
    const { sealed, open } = await exchangeSecret(this.services.endpoints, wanted?.secret);
    const request = { caller, id, ifMatch, rotationId, overlapSeconds: wanted?.overlap_seconds ?? undefined, ...sealed };
    const { endpoint, sealedSecret } = await this.services.endpoints.rotateSecret(request);
    return resource(EndpointSchema, endpoint!, { secret: open(sealedSecret) });
  }

  @Post(':id/test')
  @HttpCode(202)
  @Scoped('webhooks:write')
  async test(
    @From() caller: Caller,
    @NewId('evt') newId: string,
    @ByClaim() claim: Claim | undefined,
    @Param('id', webhookId) id: string,
    @Body({ schema: testDelivery }) wanted: TestDelivery,
  ) {
    const eventType = wanted?.event_type ?? defaultTestType;
    const request = { caller, id, eventType, eventId: newId, eventAt: claim && timestampFromDate(claim.firstAt) };
    const { deliveryId, eventId } = await this.services.endpoints.testEndpoint(request);
    return new Resource({ delivery_id: deliveryId, event_id: eventId }, { location: `/api/v1/deliveries/${deliveryId}` });
  }

  /** Nothing of it is kept or logged: the secret is used once, here. */
  @Post('signature/explain')
  @HttpCode(200)
  @Scoped('webhooks:read')
  explain(@Body({ schema: signedRequest }) { secret, headers, body }: SignedRequest) {
    return explainSignature({ secret, headers, body });
  }

  /** The webhook is asked for first: a list of an unknown one would look like one that has no deliveries yet. */
  @Get(':id/deliveries')
  @Scoped('webhooks:read')
  async deliveries(@From() caller: Caller, @Param('id', webhookId) id: string, @Query({ schema: ownDeliveriesQuery }) query: DeliveriesQuery) {
    await this.services.endpoints.getEndpoint({ caller, id });
    return answerDeliveries(this.lists, this.services, caller, { ...query, endpoint_id: id });
  }
}
