// What others are told of a key: the events that subscribers and webhooks get, and the feed that voids remembered verdicts.
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { KeyChangedSchema, keyChangeSubject, newEvent } from '@na/contracts';
import { eventMessage, type OutboxMessage } from '@na/outbox';
import type { ApiKey } from './api-key.entity.js';

export function createdMessages(key: ApiKey): OutboxMessage[] {
  const { id: keyId, workspaceId, name, scopes, lastFour, createdAt, expiresAt } = key;
  const data = { keyId, name, scopes, lastFour, expiresAt: expiresAt ? timestampFromDate(expiresAt) : undefined };
  return [eventMessage(newEvent({ type: 'key.created', workspaceId, createdAt, data })), changeMessage(key)];
}

export function revokedMessages(key: ApiKey & { revokedAt: Date }): OutboxMessage[] {
  const { id: keyId, workspaceId, name, revokedAt } = key;
  const data = { keyId, name, revokedAt: timestampFromDate(revokedAt) };
  return [eventMessage(newEvent({ type: 'key.revoked', workspaceId, createdAt: revokedAt, data })), changeMessage(key)];
}

/** The version makes the message id: one change is one message, however often the relay repeats it. */
function changeMessage({ id: keyId, workspaceId, version }: ApiKey): OutboxMessage {
  const body = toBinary(KeyChangedSchema, create(KeyChangedSchema, { keyId, workspaceId, version }));
  return { subject: keyChangeSubject(workspaceId, keyId), body, id: `${keyId}:${version}` };
}
