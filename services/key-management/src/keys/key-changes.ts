// What every change of an existing key has in common: who makes it is looked at under the same lock as the key, a new version
// is written only for a real change, and it is audited and told.
import type { Caller, JsonObject } from '@na/contracts';
import type { OutboxMessage } from '@na/outbox';
import type { Clock } from '@na/service-host';
import type { EntityManager } from 'typeorm';
import { recordChange } from '../audit/audit-log.js';
import { feedMessage, type Change } from '../changes.js';
import { view, type ApiKey } from './api-key.entity.js';
import { lockFor, type Locked } from './calling-key.js';
import { changeOf } from './key-messages.js';
import { found, updateKey } from './key-store.js';

export interface ToChange extends Omit<Locked, 'keys'> {
  key: ApiKey;
}

export async function lockToChange(tx: EntityManager, caller: Caller, id: string, clock: Clock): Promise<ToChange> {
  const { keys, ...locked } = await lockFor(tx, caller, { workspaceId: caller.workspaceId, keyIds: [id], needed: 'keys:write' }, clock);
  return { ...locked, key: found(keys.get(id), id) };
}

export interface KeyChange {
  action: string;
  changes: Partial<ApiKey>;
  /** What subscribers are told besides the feed. */
  event?: (after: ApiKey) => OutboxMessage;
}

export async function applyChange(tx: EntityManager, caller: Caller, before: ApiKey, made: KeyChange, now: Date): Promise<Change<ApiKey>> {
  const { action, changes, event } = made;
  const after = { ...before, ...changes, version: before.version + 1 };
  await updateKey(tx, before, { ...changes, version: after.version });
  await auditKey(tx, caller, { action, before: view(before, now), after, now });
  const change = changeOf(after);
  return { result: after, messages: [...(event ? [event(after)] : []), feedMessage(change)], awaited: change };
}

/** Nothing to change: the same answer, and the same wait for the gateways. */
export function unchanged(key: ApiKey): Change<ApiKey> {
  return { result: key, messages: [], awaited: changeOf(key) };
}

interface Audited {
  action: string;
  before: JsonObject | null;
  after: ApiKey;
  now: Date;
}

export async function auditKey(tx: EntityManager, caller: Caller, { action, before, after, now }: Audited): Promise<void> {
  await recordChange(tx, caller, { workspaceId: after.workspaceId, at: now, action, target: after.id, before, after: view(after, now) });
}
