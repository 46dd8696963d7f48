// /api/v1/workspaces
import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { WorkspaceSchema, type Caller } from '@na/contracts';
import { AnyKey, OperatorOnly, Scoped } from '../auth/access.js';
import { By, From } from '../auth/identity.js';
import type { Principal } from '../auth/principal.js';
import { IfMatch } from '../http/if-match.js';
import { listQuery, Lists, type ListQuery, type Slice } from '../http/lists.js';
import { resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import { NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { barrierMs } from '../slow-calls.js';
import { workspaceOperations, workspacesTag } from './workspaces.reference.js';
import { newWorkspace, workspacePatch, type NewWorkspace, type WorkspacePatch } from './workspaces.schema.js';

const workspaceId = idPipe('ws', 'workspace');

@Documented(workspacesTag, workspaceOperations)
@Controller('/api/v1/workspaces')
export class WorkspacesController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Post()
  @OperatorOnly()
  async create(@From() caller: Caller, @NewId('ws') id: string, @Body({ schema: newWorkspace }) { name, time_zone, owner_emails }: NewWorkspace) {
    const { workspace } = await this.services.workspaces.createWorkspace({ caller, id, name, timeZone: time_zone, ownerEmails: owner_emails });
    return resource(WorkspaceSchema, workspace!);
  }

  /** The operator sees all; a key learns here which one it belongs to, so that it can name it from then on. */
  @Get()
  @AnyKey('optional')
  list(@From() caller: Caller, @By() { kind }: Principal, @Query({ schema: listQuery }) query: ListQuery) {
    return this.lists.answer('workspaces', caller, query, (at) => (kind === 'operator' ? this.all(caller, at) : this.own(caller)));
  }

  @Get(':id')
  @Scoped('workspaces:read')
  async get(@From() caller: Caller, @Param('id', workspaceId) id: string) {
    const { workspace } = await this.services.workspaces.getWorkspace({ caller, id });
    return resource(WorkspaceSchema, workspace!);
  }

  @Patch(':id')
  @Scoped('workspaces:write')
  async update(
    @From() caller: Caller,
    @Param('id', workspaceId) id: string,
    @IfMatch() ifMatch: string | undefined,
    @Body({ schema: workspacePatch }) patch: WorkspacePatch,
  ) {
    const { workspace } = await this.services.workspaces.updateWorkspace({ caller, id, ifMatch, ...patchToProto(patch) });
    return resource(WorkspaceSchema, workspace!);
  }

  @Post(':id/suspend')
  @HttpCode(200)
  @OperatorOnly()
  async suspend(@From() caller: Caller, @Param('id', workspaceId) id: string) {
    const { workspace } = await this.services.workspaces.suspendWorkspace({ caller, id }, { timeoutMs: barrierMs });
    return resource(WorkspaceSchema, workspace!);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @OperatorOnly()
  async resume(@From() caller: Caller, @Param('id', workspaceId) id: string) {
    const { workspace } = await this.services.workspaces.resumeWorkspace({ caller, id });
    return resource(WorkspaceSchema, workspace!);
  }

  private async all(caller: Caller, at: { limit: number; after: string }): Promise<Slice<typeof WorkspaceSchema>> {
    const { workspaces, hasMore } = await this.services.workspaces.listWorkspaces({ caller, ...at });
    return { schema: WorkspaceSchema, items: workspaces, hasMore };
  }

  private async own(caller: Caller): Promise<Slice<typeof WorkspaceSchema>> {
    const { workspace } = await this.services.workspaces.getWorkspace({ caller, id: caller.workspaceId });
    return { schema: WorkspaceSchema, items: [workspace!], hasMore: false };
  }
}

function patchToProto(patch: WorkspacePatch) {
  return { fields: Object.keys(patch), name: patch.name, timeZone: patch.time_zone ?? 'UTC', ownerEmails: patch.owner_emails ?? [] };
}
