// WorkspaceService on the bus.
import { Controller } from '@nestjs/common';
import { WorkspaceService, type CreateWorkspaceRequest, type GetWorkspaceRequest } from '@na/contracts';
import { RpcMethod } from '@na/messaging';
import { callerOf } from '../caller.js';
import { toProto } from './workspace.entity.js';
import { Workspaces } from './workspaces.js';

@Controller()
export class WorkspacesRpc {
  constructor(private readonly workspaces: Workspaces) {}

  @RpcMethod(WorkspaceService.method.createWorkspace)
  async createWorkspace(request: CreateWorkspaceRequest) {
    return { workspace: toProto(await this.workspaces.create(callerOf(request), request)) };
  }

  @RpcMethod(WorkspaceService.method.getWorkspace)
  async getWorkspace(request: GetWorkspaceRequest) {
    return { workspace: toProto(await this.workspaces.get(callerOf(request), request.id)) };
  }
}
