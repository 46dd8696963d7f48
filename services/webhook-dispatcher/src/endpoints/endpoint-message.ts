// An endpoint as the other services and the public API see it, and the tag by which they know one state of it from another.
import { create } from '@bufbuild/protobuf';
import { timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { EndpointSchema, etagOf, ifMatchHolds, type Endpoint as EndpointMessage } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { maskHeaders } from './custom-headers.js';
import type { Endpoint } from './endpoint.entity.js';

export function toProto(endpoint: Endpoint): EndpointMessage {
  return create(EndpointSchema, {
    id: endpoint.id,
    workspaceId: endpoint.workspaceId,
    url: endpoint.url,
    description: endpoint.description,
    eventTypes: endpoint.eventTypes,
    retryPolicy: endpoint.retryPolicy,
    timeoutMs: endpoint.timeoutMs,
    status: endpoint.status,
    disabledReason: endpoint.disabledReason ?? undefined,
    createdAt: timestampFromDate(endpoint.createdAt),
    pageIds: endpoint.pageIds,
    headers: maskHeaders(endpoint.headers),
    rateLimitPerSecond: endpoint.rateLimitPerSecond ?? undefined,
    maxInFlight: endpoint.maxInFlight ?? undefined,
    ordered: endpoint.ordered,
    disabledAt: optionalTimestamp(endpoint.disabledAt),
    failingSince: optionalTimestamp(endpoint.failingSince),
    pausedUntil: optionalTimestamp(endpoint.pausedUntil),
    previousSecretUntil: optionalTimestamp(endpoint.previousSecrets[0]?.until),
  });
}

/**
 * To be asked of a locked endpoint.
 * @param ifMatch the tags that the caller's decision is good for; undefined for any
 * @throws ServiceError `precondition_failed`
 */
export function requireMatch(endpoint: Endpoint, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatchHolds(ifMatch, etagOf(EndpointSchema, toProto(endpoint)))) return;
  throw new ServiceError('precondition_failed', 'The webhook was changed since it was read. Read it again, and decide anew.');
}

function optionalTimestamp(time: Date | string | null | undefined): Timestamp | undefined {
  return time ? timestampFromDate(new Date(time)) : undefined;
}
