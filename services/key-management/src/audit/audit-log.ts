// The audit log. It is written in the transaction of the change itself: neither is ever there without the other.
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { AuditEntrySchema, type AuditEntry as AuditEntryMessage, type Caller, type JsonObject } from '@na/contracts';
import { inWorkspace } from '@na/service-host';
import { typeid } from 'typeid-js';
import type { DataSource, EntityManager } from 'typeorm';
import { requireWorkspace } from '../workspaces/workspace-store.js';
import { AuditEntry } from './audit-entry.entity.js';

export interface AuditedChange {
  workspaceId: string;
  at: Date;
  action: string;
  target: string;
  /** As the public API shows it, which never includes a secret or what is derived from one; null for what did not exist. */
  before: JsonObject | null;
  after: JsonObject | null;
}

export async function recordChange(tx: EntityManager, caller: Caller, change: AuditedChange): Promise<void> {
  const { actor, address, requestId } = caller;
  const { workspaceId, at, action, target, before, after } = change;
  await tx.query(
    `INSERT INTO audit_log (workspace_id, id, created_at, actor, address, request_id, action, target, before, after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [workspaceId, typeid('aud').toString(), at, actor, address, requestId, action, target, before, after],
  );
}

export interface AuditFilter {
  actor?: string;
  action?: string;
  target?: string;
  /** From this moment on. */
  since?: Date;
  /** Before this moment. */
  until?: Date;
}

const conditions: Record<keyof AuditFilter, string> = {
  actor: 'entry.actor = :actor',
  action: 'entry.action = :action',
  target: 'entry.target = :target',
  since: 'entry.created_at >= :since',
  until: 'entry.created_at < :until',
};

export class AuditLog {
  constructor(private readonly database: DataSource) {}

  /** Newest first: the ids carry the time. @returns one more than `limit` if there are more */
  list(caller: Caller, filter: AuditFilter, page: { after: string; limit: number }): Promise<AuditEntry[]> {
    const { workspaceId } = caller;
    return inWorkspace(this.database, workspaceId, async (tx) => {
      await requireWorkspace(tx, caller);
      const query = tx.createQueryBuilder(AuditEntry, 'entry').where('entry.workspace_id = :workspaceId', { workspaceId });
      if (page.after) query.andWhere('entry.id < :after', page);
      for (const [name, condition] of Object.entries(conditions)) {
        const value = filter[name as keyof AuditFilter];
        if (value !== undefined) query.andWhere(condition, { [name]: value });
      }
      return query.orderBy('entry.id', 'DESC').take(page.limit + 1).getMany();
    });
  }
}

export function toProto({ createdAt, before, after, ...entry }: AuditEntry): AuditEntryMessage {
  const { id, actor, address, requestId, action, target } = entry;
  const views = { before: before ?? undefined, after: after ?? undefined };
  return create(AuditEntrySchema, { id, createdAt: timestampFromDate(createdAt), actor, address, requestId, action, target, ...views });
}
