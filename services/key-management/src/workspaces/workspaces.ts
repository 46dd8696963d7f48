// Creates workspaces, and shows them to their own keys and to the operator.
import { create } from '@bufbuild/protobuf';
import { publicJson, WorkspaceSchema, type Caller } from '@na/contracts';
import { notFound, ServiceError } from '@na/service-error';
import type { Clock } from '@na/service-host';
import { typeid } from 'typeid-js';
import type { DataSource } from 'typeorm';
import { recordChange } from '../audit/audit-log.js';
import { isOperator } from '../caller.js';
import { toProto, Workspace } from './workspace.entity.js';

export type NewWorkspace = Pick<Workspace, 'name' | 'timeZone' | 'ownerEmails'>;

export class Workspaces {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
  ) {}

  async create(caller: Caller, wanted: NewWorkspace): Promise<Workspace> {
    if (!isOperator(caller)) throw new ServiceError('insufficient_scope', 'Only the operator of this installation creates workspaces.');
    const { name, timeZone, ownerEmails } = wanted;
    const workspace: Workspace = { id: typeid('ws').toString(), name, timeZone, ownerEmails, createdAt: this.clock.now(), suspendedAt: null };
    await this.database.transaction(async (tx) => {
      await tx.insert(Workspace, workspace);
      const { id, createdAt } = workspace;
      const after = publicJson(WorkspaceSchema, create(WorkspaceSchema, toProto(workspace)));
      await recordChange(tx, caller, { workspaceId: id, at: createdAt, action: 'workspace.created', target: id, before: null, after });
    });
    return workspace;
  }

  async get(caller: Caller, id: string): Promise<Workspace> {
    const visible = isOperator(caller) || caller.workspaceId === id;
    const workspace = visible ? await this.database.manager.findOneBy(Workspace, { id }) : null;
    if (!workspace) throw notFound('workspace', id);
    return workspace;
  }
}
