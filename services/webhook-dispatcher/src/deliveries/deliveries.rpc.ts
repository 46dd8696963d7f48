// DeliveryService on the bus.
import { randomUUID } from 'node:crypto';
import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import {
  DeliveryService,
  type CancelDeliveryRequest,
  type GetDeliveryRequest,
  type ListDeliveriesRequest,
  type RetryDeliveryRequest,
} from '@na/contracts';
import { boundedLimit, RpcMethod, workspaceOf } from '@na/messaging';
import { unknownEventType } from '../endpoints/event-filter.js';
import { typesWanted } from '../endpoints/missed-events.js';
import { ByHand } from './by-hand.js';
import type { DeliveryFilter } from './delivery-page.js';
import { DeliveryTable, type AttemptRow, type DeliveryRow, type FullDelivery } from './delivery-table.js';
import { requestHeaders } from './request.js';

@Controller()
export class DeliveriesRpc {
  constructor(
    private readonly table: DeliveryTable,
    private readonly byHand: ByHand,
  ) {}

  @RpcMethod(DeliveryService.method.listDeliveries)
  async listDeliveries(request: ListDeliveriesRequest) {
    const { caller, after } = request;
    const limit = boundedLimit(request.limit);
    const found = await this.table.list(workspaceOf(caller), toFilter(request), after, limit);
    return { deliveries: found.slice(0, limit).map(toProto), hasMore: found.length > limit };
  }

  @RpcMethod(DeliveryService.method.getDelivery)
  async getDelivery({ caller, id }: GetDeliveryRequest) {
    const found = await this.table.get(workspaceOf(caller), id);
    return { delivery: toProto(found.delivery), request: requestToProto(found), attemptLog: found.attempts.map(attemptToProto) };
  }

  @RpcMethod(DeliveryService.method.retryDelivery)
  async retryDelivery({ caller, id, retryId }: RetryDeliveryRequest) {
    await this.byHand.retry(workspaceOf(caller), id, retryId || randomUUID());
    return this.delivery(workspaceOf(caller), id);
  }

  @RpcMethod(DeliveryService.method.cancelDelivery)
  async cancelDelivery({ caller, id, isRepeat }: CancelDeliveryRequest) {
    await this.byHand.cancel(workspaceOf(caller), id, isRepeat);
    return this.delivery(workspaceOf(caller), id);
  }

  private async delivery(workspaceId: string, id: string) {
    return { delivery: toProto((await this.table.get(workspaceId, id)).delivery) };
  }
}

function toFilter({ status, eventType, eventId, endpointId, responseCode, since, until }: ListDeliveriesRequest): DeliveryFilter {
  const window = { since: since && timestampDate(since), until: until && timestampDate(until) };
  return { status, eventTypes: eventType === undefined ? undefined : typesMatching(eventType), eventId, endpointId, responseCode, ...window };
}

/** @throws ServiceError invalid_request when there are none: an empty page would read as if there were no such deliveries */
function typesMatching(pattern: string): string[] {
  const types = typesWanted([pattern]);
  if (types.length > 0) return types;
  throw unknownEventType(`"${pattern}" matches no event type. It may be one, a family such as goal.*, or *.`);
}

function toProto(row: DeliveryRow) {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    eventType: row.event_type,
    status: row.status,
    attempts: row.attempts,
    maxAttempts: row.max_attempts,
    responseCode: row.response_code ?? undefined,
    responseBody: row.response_body ?? undefined,
    error: row.error ?? undefined,
    createdAt: timestampFromDate(row.created_at),
    eventCreatedAt: timestampFromDate(row.event_at),
    lastAttemptAt: optionalTimestamp(row.last_attempt_at),
    nextRetryAt: optionalTimestamp(row.next_attempt_at),
    completedAt: optionalTimestamp(row.completed_at),
    finalStatus: row.completed_at ? row.status : undefined,
  };
}

/** What was sent on the latest attempt, as far as it is known. */
function requestToProto({ delivery, payload, latest }: FullDelivery) {
  const facts = latest && { eventId: delivery.event_id, eventType: delivery.event_type, deliveryId: delivery.id, attempt: latest.number, startedAt: latest.started_at };
  return {
    url: latest?.url ?? undefined,
    headers: facts && latest.request_headers ? requestHeaders(facts, latest.request_headers) : {},
    body: payload.toString('utf8'),
  };
}

function attemptToProto(row: AttemptRow) {
  return {
    id: row.id,
    number: row.number,
    startedAt: timestampFromDate(row.started_at),
    durationMs: row.duration_ms,
    responseCode: row.response_code ?? undefined,
    responseHeaders: row.response_headers,
    responseBody: row.response_body ?? undefined,
    error: row.error ?? undefined,
    url: row.url ?? undefined,
    queuedMs: row.queued_ms ?? undefined,
    connectedMs: row.connected_ms ?? undefined,
    headMs: row.head_ms ?? undefined,
  };
}

function optionalTimestamp(date: Date | null): Timestamp | undefined {
  return date ? timestampFromDate(date) : undefined;
}
