// What others are told of a key: the events that subscribers and webhooks get, and the feed that voids remembered verdicts.
import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { KeyChangedSchema, newEvent, type KeyChanged } from '@na/contracts';
import { eventMessage, type OutboxMessage } from '@na/outbox';
import { timestampOf, type ApiKey } from './api-key.entity.js';
import { overlapEnd } from './rotation.js';

export function createdEvent(key: ApiKey): OutboxMessage {
  const { id: keyId, workspaceId, name, scopes, lastFour, createdAt, expiresAt } = key;
  const data = { keyId, name, scopes, lastFour, expiresAt: timestampOf(expiresAt) };
  return eventMessage(newEvent({ type: 'key.created', workspaceId, createdAt, data }));
}

export function revokedEvent(key: ApiKey, at: Date): OutboxMessage {
  const { id: keyId, workspaceId, name, revokedReason } = key;
  const data = { keyId, name, revokedAt: timestampFromDate(at), reason: revokedReason! };
  return eventMessage(newEvent({ type: 'key.revoked', workspaceId, createdAt: at, data }));
}

export function rotatedEvent(key: ApiKey, at: Date): OutboxMessage {
  const { id: keyId, workspaceId, name, lastFour } = key;
  const data = { keyId, name, lastFour, rotatedAt: timestampFromDate(at), previousValidUntil: timestampOf(overlapEnd(key, at)) };
  return eventMessage(newEvent({ type: 'key.rotated', workspaceId, createdAt: at, data }));
}

export function expiringEvent(key: ApiKey, at: Date): OutboxMessage {
  const { id: keyId, workspaceId, name, lastFour, expiresAt, lastUsedAt } = key;
  const data = { keyId, name, lastFour, expiresAt: timestampOf(expiresAt), lastUsedAt: timestampOf(lastUsedAt) };
  return eventMessage(newEvent({ type: 'key.expiring', workspaceId, createdAt: at, data }));
}

/** What gateways are told: what they remember of an older version is void. */
export function changeOf({ id: keyId, workspaceId, version }: Pick<ApiKey, 'id' | 'workspaceId' | 'version'>): KeyChanged {
  return create(KeyChangedSchema, { keyId, workspaceId, version });
}
