// /api/v1/audit-log
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Get, Query } from '@nestjs/common';
import { AuditEntrySchema, type Caller } from '@na/contracts';
import { Scoped } from '../auth/access.js';
import { From } from '../auth/identity.js';
import { Lists } from '../http/lists.js';
import { Documented } from '../openapi/operation.js';
import { Services } from '../services.js';
import { auditOperations, auditTag } from './audit-log.reference.js';
import { auditQuery, type AuditQuery } from './audit-log.schema.js';

@Documented(auditTag, auditOperations)
@Controller('/api/v1/audit-log')
export class AuditLogController {
  constructor(
    private readonly services: Services,
    private readonly lists: Lists,
  ) {}

  /** Whoever may see keys may see what became of them. */
  @Get()
  @Scoped('keys:read')
  list(@From() caller: Caller, @Query({ schema: auditQuery }) query: AuditQuery) {
    return this.lists.answer('audit-log', caller, query, async (at) => {
      const { entries, hasMore } = await this.services.audit.listAuditEntries({ caller, ...at, ...filtersOf(query) });
      return { schema: AuditEntrySchema, items: entries, hasMore };
    });
  }
}

function filtersOf({ actor, action, target, since, until }: AuditQuery) {
  return { actor, action, target, since: since && timestampFromDate(since), until: until && timestampFromDate(until) };
}
