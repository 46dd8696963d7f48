// ReplayService on the bus.
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { ReplayService, type CancelReplayRequest, type CreateReplayRequest, type GetReplayRequest, type ListReplaysRequest } from '@na/contracts';
import { boundedLimit, RpcMethod, workspaceOf } from '@na/messaging';
import type { WantedReplay } from './replay-plan.js';
import type { Replay } from './replay.entity.js';
import { Replays } from './replays.js';

@Controller()
export class ReplaysRpc {
  constructor(private readonly replays: Replays) {}

  @RpcMethod(ReplayService.method.createReplay)
  async createReplay(request: CreateReplayRequest) {
    return { replay: toProto(await this.replays.create(workspaceOf(request.caller), request.endpointId, request.id, toWanted(request))) };
  }

  @RpcMethod(ReplayService.method.getReplay)
  async getReplay({ caller, endpointId, id }: GetReplayRequest) {
    return { replay: toProto(await this.replays.get(workspaceOf(caller), endpointId, id)) };
  }

  @RpcMethod(ReplayService.method.listReplays)
  async listReplays({ caller, endpointId, after, limit: asked }: ListReplaysRequest) {
    const limit = boundedLimit(asked);
    const found = await this.replays.list(workspaceOf(caller), endpointId, after, limit);
    return { replays: found.slice(0, limit).map(toProto), hasMore: found.length > limit };
  }

  @RpcMethod(ReplayService.method.cancelReplay)
  async cancelReplay({ caller, endpointId, id, isRepeat }: CancelReplayRequest) {
    return { replay: toProto(await this.replays.cancel(workspaceOf(caller), endpointId, id, isRepeat)) };
  }
}

function toWanted({ since, until, statuses, eventTypes, includeMissed, onlyMissed, ratePerSecond, dryRun }: CreateReplayRequest): WantedReplay {
  return { since: timestampDate(since!), until: timestampDate(until!), statuses, eventTypes, includeMissed, onlyMissed, ratePerSecond, dryRun };
}

function toProto(replay: Replay) {
  return {
    id: replay.id,
    workspaceId: replay.workspaceId,
    endpointId: replay.endpointId,
    status: replay.status,
    since: timestampFromDate(replay.since),
    until: timestampFromDate(replay.until),
    statuses: replay.statuses,
    eventTypes: replay.eventTypes,
    includeMissed: replay.includeMissed,
    ratePerSecond: replay.ratePerSecond,
    dryRun: replay.dryRun,
    total: replay.total,
    totalIsPartial: replay.totalIsPartial,
    done: replay.done,
    createdAt: timestampFromDate(replay.createdAt),
    completedAt: replay.completedAt ? timestampFromDate(replay.completedAt) : undefined,
  };
}
