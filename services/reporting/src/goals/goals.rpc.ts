// Answers GoalService.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GoalService, type CreateGoalRequest, type GetGoalRequest, type GoalSchema, type ListGoalsRequest } from '@na/contracts';
import { RpcMethod, workspaceOf } from '@na/messaging';
import { Goal } from './goal.entity.js';
import { Goals } from './goals.js';

@Controller()
export class GoalsRpc {
  constructor(private readonly goals: Goals) {}

  @RpcMethod(GoalService.method.createGoal)
  async createGoal(request: CreateGoalRequest) {
    return { goal: toProto(await this.goals.create(workspaceOf(request.caller), request)) };
  }

  @RpcMethod(GoalService.method.getGoal)
  async getGoal(request: GetGoalRequest) {
    return { goal: toProto(await this.goals.get(workspaceOf(request.caller), request.id)) };
  }

  @RpcMethod(GoalService.method.listGoals)
  async listGoals(request: ListGoalsRequest) {
    const { rows, hasMore } = await this.goals.list(workspaceOf(request.caller), request);
    return { goals: rows.map(toProto), hasMore };
  }
}

function toProto(goal: Goal): MessageInitShape<typeof GoalSchema> {
  return {
    id: goal.id,
    workspaceId: goal.workspaceId,
    name: goal.name,
    eventName: goal.eventName,
    pageId: goal.pageId ?? undefined,
    value: goal.value ?? undefined,
    createdAt: timestampFromDate(goal.createdAt),
  };
}
