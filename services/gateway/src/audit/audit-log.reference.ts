// What the reference says of /api/v1/audit-log.
import { AuditEntrySchema } from '@na/contracts';
import { listOf, thing } from '../openapi/answer.js';
import { at, exampleId } from '../openapi/examples.js';
import { operations, type Tag } from '../openapi/operation.js';

export const auditTag: Tag = { name: 'Audit log', description: 'Who changed which key or workspace, from where, and how it looked before and after. Written together with the change itself.' };

const entry = thing('AuditEntry', 'One change.', AuditEntrySchema, {
  id: exampleId('aud'),
  createdAt: at('2026-03-01T12:00:00.000Z'),
  actor: exampleId('key'),
  address: '203.0.113.7',
  requestId: exampleId('req'),
  action: 'workspace.updated',
  target: exampleId('ws'),
  before: { name: 'Acme' },
  after: { name: 'Acme Europe' },
});

export const auditOperations = operations({
  list: {
    id: 'listAuditLog',
    summary: 'Read the audit log',
    description: 'Newest first.',
    answer: listOf(entry),
    query: { action: 'key.created', since: '2026-03-01T00:00:00Z' },
    problems: ['not_found'],
  },
});
