// AuditService on the bus.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { AuditService, type ListAuditEntriesRequest } from '@na/contracts';
import { boundedLimit, RpcMethod } from '@na/messaging';
import { callerInWorkspace } from '../caller.js';
import { AuditLog, toProto } from './audit-log.js';

@Controller()
export class AuditLogRpc {
  constructor(private readonly log: AuditLog) {}

  @RpcMethod(AuditService.method.listAuditEntries)
  async listAuditEntries(request: ListAuditEntriesRequest) {
    const { actor, action, target, since, until, after } = request;
    const limit = boundedLimit(request.limit);
    const filter = { actor, action, target, since: since && timestampDate(since), until: until && timestampDate(until) };
    const entries = await this.log.list(callerInWorkspace(request), filter, { after, limit });
    return { entries: entries.slice(0, limit).map(toProto), hasMore: entries.length > limit };
  }
}
