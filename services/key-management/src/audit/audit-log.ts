// Writes the audit log, in the transaction of the change itself: neither is ever there without the other.
import type { Caller, JsonObject } from '@na/contracts';
import { typeid } from 'typeid-js';
import type { EntityManager, ObjectLiteral } from 'typeorm';
import { AuditEntry } from './audit-entry.entity.js';

export interface Change {
  workspaceId: string;
  at: Date;
  action: string;
  target: string;
  /** As the public API shows it, which never includes a secret or what is derived from one; null for what did not exist. */
  before: JsonObject | null;
  after: JsonObject | null;
}

export async function recordChange(tx: EntityManager, caller: Caller, { at, ...change }: Change): Promise<void> {
  const { actor, address, requestId } = caller;
  const entry: AuditEntry = { id: typeid('aud').toString(), createdAt: at, actor, address, requestId, ...change };
  // TypeORM's type of partial entities does not end on a JSON column.
  await tx.getRepository<ObjectLiteral>(AuditEntry).insert(entry);
}
