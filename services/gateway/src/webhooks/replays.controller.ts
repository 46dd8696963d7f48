// /api/v1/webhooks/{id}/replays
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ReplaySchema, type Caller } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { listQuery, Lists, type ListQuery } from '../http/lists.js';
import { resource } from '../http/resource.js';
import { idPipe } from '../http/schema-pipe.js';
import { IsRepeat, NewId } from '../idempotency/new-id.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { countingMs } from '../slow-calls.js';
import { replayOperations, replaysTag } from './replays.reference.js';
import { newReplay, type NewReplay } from './replays.schema.js';

const webhookId = idPipe('we', 'webhook');
const replayId = idPipe('rpl', 'replay');

@Documented(replaysTag, replayOperations)
@Controller('/api/v1/webhooks/:webhookId/replays')
export class ReplaysController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  @Post()
  @HttpCode(202)
  @Scoped('webhooks:write')
  async create(
    @From() caller: Caller,
    @NewId('rpl') id: string,
    @Param('webhookId', webhookId) endpointId: string,
    @Body({ schema: newReplay }) wanted: NewReplay,
  ) {
    const { replay } = await this.services.replays.createReplay({ caller, id, endpointId, ...toProto(wanted) }, { timeoutMs: countingMs });
    return resource(ReplaySchema, replay!);
  }

  @Get()
  @Scoped('webhooks:read')
  list(@From() caller: Caller, @Param('webhookId', webhookId) endpointId: string, @Query({ schema: listQuery }) query: ListQuery) {
    // The cursor is bound to the webhook like to a filter.
    return this.lists.answer(`replays of ${endpointId}`, caller, query, async (at) => {
      const { replays, hasMore } = await this.services.replays.listReplays({ caller, endpointId, ...at });
      return { schema: ReplaySchema, items: replays, hasMore };
    });
  }

  @Get(':id')
  @Scoped('webhooks:read')
  async get(@From() caller: Caller, @Param('webhookId', webhookId) endpointId: string, @Param('id', replayId) id: string) {
    const { replay } = await this.services.replays.getReplay({ caller, endpointId, id });
    return resource(ReplaySchema, replay!);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Scoped('webhooks:write')
  async cancel(
    @From() caller: Caller,
    @IsRepeat() isRepeat: boolean,
    @Param('webhookId', webhookId) endpointId: string,
    @Param('id', replayId) id: string,
  ) {
    const { replay } = await this.services.replays.cancelReplay({ caller, endpointId, id, isRepeat });
    return resource(ReplaySchema, replay!);
  }
}

function toProto({ since, until, statuses, event_types, include_missed, rate_per_second, dry_run }: NewReplay) {
  return {
    since: timestampFromDate(since),
    until: timestampFromDate(until),
    statuses,
    eventTypes: event_types,
    includeMissed: include_missed,
    onlyMissed: statuses.length === 0,
    ratePerSecond: rate_per_second ?? undefined,
    dryRun: dry_run,
  };
}
