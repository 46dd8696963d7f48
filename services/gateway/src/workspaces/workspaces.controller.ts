// /api/v1/workspaces
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { publicJson, WorkspaceSchema, type Caller } from '@na/contracts';
import { ServiceError } from '@na/service-error';
import { AnyKey, OperatorOnly, Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { idPipe } from '../http/schema-pipe.js';
import { Services } from '../services.js';
import { newWorkspace, type NewWorkspace } from './workspaces.schema.js';

@Controller('/api/v1/workspaces')
export class WorkspacesController {
  constructor(private readonly services: Services) {}

  @Post()
  @OperatorOnly()
  async create(@From() caller: Caller, @Body({ schema: newWorkspace }) { name, time_zone, owner_emails }: NewWorkspace) {
    const { workspace } = await this.services.workspaces.createWorkspace({ caller, name, timeZone: time_zone, ownerEmails: owner_emails });
    return publicJson(WorkspaceSchema, workspace!);
  }

  /** A key learns here which workspace it belongs to, so that it can name it from then on. */
  @Get()
  @AnyKey('optional')
  async list(@From() caller: Caller) {
    if (!caller.workspaceId) throw new ServiceError('workspace_required', 'The operator belongs to no workspace: name one in X-Workspace-Id.');
    return { data: [await this.get(caller, caller.workspaceId)], has_more: false, next_cursor: null };
  }

  @Get(':id')
  @Scoped('workspaces:read')
  async get(@From() caller: Caller, @Param('id', idPipe('ws', 'workspace')) id: string) {
    const { workspace } = await this.services.workspaces.getWorkspace({ caller, id });
    return publicJson(WorkspaceSchema, workspace!);
  }
}
