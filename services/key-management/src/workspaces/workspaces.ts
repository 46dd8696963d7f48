// Makes, shows and changes workspaces: for their own keys, and for the operator, who alone makes and suspends them.
import { isDeepStrictEqual } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { etagOf, KeyChangedSchema, publicJson, WorkspaceSchema, type Caller, type KeyChanged } from '@na/contracts';
import { notFound } from '@na/service-error';
import { acrossWorkspaces, insertOnce, inWorkspace, type Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import { MoreThan, type DataSource, type EntityManager } from 'typeorm';
import { recordChange } from '../audit/audit-log.js';
import { isOperator, requireOperator } from '../caller.js';
import { feedMessage, type Changes } from '../changes.js';
import { lockFor } from '../keys/calling-key.js';
import { checkIfMatch } from '../precondition.js';
import { toProto, Workspace } from './workspace.entity.js';
import { checkSettings, type WorkspaceSettings } from './workspace-settings.js';
import { findWorkspace, lockWorkspace } from './workspace-store.js';

export class Workspaces {
  constructor(
    private readonly database: DataSource,
    private readonly changes: Changes,
    private readonly clock: Clock,
  ) {}

  /** @param wantedId the same in each try of one request; empty for one that is chosen here */
  async create(caller: Caller, wantedId: string, settings: WorkspaceSettings): Promise<Workspace> {
    requireOperator(caller, 'creates workspaces');
    checkSettings(settings);
    const id = wantedId || typeid('ws').toString();
    const workspace: Workspace = { id, ...settings, createdAt: this.clock.now(), suspendedAt: null, version: 1 };
    return this.changes.make(id, async (tx) => {
      const { row, isNew } = await insertOnce(tx, Workspace, workspace, { id });
      if (isNew) await this.audit(tx, caller, 'workspace.created', null, row);
      return { result: row, messages: [] };
    });
  }

  async get(caller: Caller, id: string): Promise<Workspace> {
    requireVisible(caller, id);
    return inWorkspace(this.database, id, (tx) => findWorkspace(tx, id));
  }

  /** Of the whole installation, in the order of creation. @returns one more than `limit` if there are more */
  async list(caller: Caller, { after, limit }: { after: string; limit: number }): Promise<Workspace[]> {
    requireOperator(caller, 'lists its workspaces');
    const page = { where: { id: MoreThan(after) }, order: { id: 'ASC' }, take: limit + 1 } as const;
    return acrossWorkspaces(this.database, (tx) => tx.find(Workspace, page));
  }

  async update(caller: Caller, id: string, settings: Partial<WorkspaceSettings>, ifMatch?: string): Promise<Workspace> {
    requireVisible(caller, id);
    checkSettings(settings);
    return this.changes.make(id, async (tx) => {
      const { workspace: before } = await lockFor(tx, caller, { workspaceId: id, needed: 'workspaces:write' }, this.clock);
      checkIfMatch(ifMatch, etagOf(WorkspaceSchema, toProto(before)));
      const after = { ...before, ...settings };
      if (isDeepStrictEqual(before, after)) return { result: before, messages: [] };
      await tx.update(Workspace, { id }, settings);
      await this.audit(tx, caller, 'workspace.updated', before, after);
      return { result: after, messages: [] };
    });
  }

  /** Answers once no gateway accepts a key of it any more. */
  async suspend(caller: Caller, id: string): Promise<Workspace> {
    requireOperator(caller, 'suspends workspaces');
    requireVisible(caller, id);
    return this.changes.make(id, async (tx) => {
      const before = await lockWorkspace(tx, id);
      if (before.suspendedAt) return { result: before, messages: [], awaited: changeOf(before) };
      const after = await this.switch(tx, caller, before, this.clock.now());
      return { result: after, messages: [feedMessage(changeOf(after))], awaited: changeOf(after) };
    });
  }

  /** Its keys are accepted again within moments. */
  async resume(caller: Caller, id: string): Promise<Workspace> {
    requireOperator(caller, 'resumes workspaces');
    requireVisible(caller, id);
    return this.changes.make(id, async (tx) => {
      const before = await lockWorkspace(tx, id);
      if (!before.suspendedAt) return { result: before, messages: [] };
      const after = await this.switch(tx, caller, before, null);
      return { result: after, messages: [feedMessage(changeOf(after))] };
    });
  }

  private async switch(tx: EntityManager, caller: Caller, before: Workspace, suspendedAt: Date | null): Promise<Workspace> {
    const changes = { suspendedAt, version: before.version + 1 };
    await tx.update(Workspace, { id: before.id }, changes);
    const after = { ...before, ...changes };
    await this.audit(tx, caller, suspendedAt ? 'workspace.suspended' : 'workspace.resumed', before, after);
    return after;
  }

  private async audit(tx: EntityManager, caller: Caller, action: string, before: Workspace | null, after: Workspace): Promise<void> {
    const { id } = after;
    const views = { before: before && view(before), after: view(after) };
    await recordChange(tx, caller, { workspaceId: id, at: this.clock.now(), action, target: id, ...views });
  }
}

/** Another workspace than the caller's looks like one that does not exist. Only the operator need not name one. */
function requireVisible(caller: Caller, id: string): void {
  const isFree = isOperator(caller) && caller.workspaceId === '';
  if (!isFree && caller.workspaceId !== id) throw notFound('workspace', id);
}

function changeOf({ id, version }: Workspace): KeyChanged {
  return create(KeyChangedSchema, { workspaceId: id, version });
}

function view(workspace: Workspace) {
  return publicJson(WorkspaceSchema, toProto(workspace));
}
