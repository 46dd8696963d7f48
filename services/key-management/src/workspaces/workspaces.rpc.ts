// WorkspaceService on the bus.
import { Controller } from '@nestjs/common';
import {
  WorkspaceService,
  type CreateWorkspaceRequest,
  type GetWorkspaceRequest,
  type ListWorkspacesRequest,
  type ResumeWorkspaceRequest,
  type SuspendWorkspaceRequest,
  type UpdateWorkspaceRequest,
} from '@na/contracts';
import { boundedLimit, RpcMethod } from '@na/messaging';
import { callerOf } from '../caller.js';
import { toProto } from './workspace.entity.js';
import { settingsOf } from './workspace-settings.js';
import { Workspaces } from './workspaces.js';

@Controller()
export class WorkspacesRpc {
  constructor(private readonly workspaces: Workspaces) {}

  @RpcMethod(WorkspaceService.method.createWorkspace)
  async createWorkspace(request: CreateWorkspaceRequest) {
    const { id, name, timeZone, ownerEmails } = request;
    return { workspace: toProto(await this.workspaces.create(callerOf(request), id, { name, timeZone, ownerEmails })) };
  }

  @RpcMethod(WorkspaceService.method.getWorkspace)
  async getWorkspace(request: GetWorkspaceRequest) {
    return { workspace: toProto(await this.workspaces.get(callerOf(request), request.id)) };
  }

  @RpcMethod(WorkspaceService.method.listWorkspaces)
  async listWorkspaces(request: ListWorkspacesRequest) {
    const limit = boundedLimit(request.limit);
    const workspaces = await this.workspaces.list(callerOf(request), { after: request.after, limit });
    return { workspaces: workspaces.slice(0, limit).map(toProto), hasMore: workspaces.length > limit };
  }

  @RpcMethod(WorkspaceService.method.updateWorkspace)
  async updateWorkspace(request: UpdateWorkspaceRequest) {
    const settings = settingsOf(request.fields, request);
    return { workspace: toProto(await this.workspaces.update(callerOf(request), request.id, settings, request.ifMatch)) };
  }

  @RpcMethod(WorkspaceService.method.suspendWorkspace)
  async suspendWorkspace(request: SuspendWorkspaceRequest) {
    return { workspace: toProto(await this.workspaces.suspend(callerOf(request), request.id)) };
  }

  @RpcMethod(WorkspaceService.method.resumeWorkspace)
  async resumeWorkspace(request: ResumeWorkspaceRequest) {
    return { workspace: toProto(await this.workspaces.resume(callerOf(request), request.id)) };
  }
}
