// What the audit log can be searched by.
import { z } from 'zod';
import { text, timestamp, windowInOrder } from '../http/field-schemas.js';
import { listQuery } from '../http/lists.js';

export const auditQuery = listQuery.extend({
  actor: text(100).optional().describe('Only changes made by this key, by "operator", or by "leak_report".'),
  action: text(100).optional().describe('Only changes of this kind, such as "key.revoked".'),
  target: text(100).optional().describe('Only changes of the thing with this id.'),
  since: timestamp.optional().describe('Only changes from this moment on.'),
  until: timestamp.optional().describe('Only changes before this moment.'),
}).check(windowInOrder);

export type AuditQuery = z.infer<typeof auditQuery>;
