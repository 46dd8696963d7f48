import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KeySchema, publicJson } from '@na/contracts';
import { KeyManagementBed } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

const list = (workspaceId: string, filter: object = {}) =>
  service.audit.listAuditEntries({ caller: service.operator(workspaceId), limit: 100, ...filter });
const actionsOf = async (workspaceId: string, filter: object = {}) => (await list(workspaceId, filter)).entries.map(({ action }) => action);

test('the audit log says who did what from where, and how the key looked before and after, newest first', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  await service.keys.revokeKey({ caller: service.callerOf(key), id: key.id });
  const { entries } = await list(workspaceId);
  expect(entries).toMatchObject([
    {
      ...{ actor: key.id, address: '192.0.2.7', requestId: 'req_2', action: 'key.revoked', target: key.id },
      ...{ before: { status: 'active' }, after: { status: 'revoked', revoked_reason: 'by_hand' } },
    },
    { actor: 'operator', action: 'key.created', target: key.id, after: { name: 'CI', status: 'active' } },
    { actor: 'operator', address: '192.0.2.1', requestId: 'req_1', action: 'workspace.created', target: workspaceId, after: { name: 'Acme' } },
  ]);
  expect(entries.slice(1).map(({ before }) => before)).toEqual([undefined, undefined]);
});

test('every kind of change is in it, with before and after as the public API shows them', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  const updated = await service.update(key, { name: 'Renamed', allowedIps: ['10.0.0.1'] });
  const { key: rotated } = await service.rotate(key, { overlapSeconds: 60 });
  const caller = service.operator();
  await service.workspaces.updateWorkspace({ caller, id: workspaceId, fields: ['name'], name: 'Acme 2' });
  await service.workspaces.suspendWorkspace({ caller, id: workspaceId });
  await service.workspaces.resumeWorkspace({ caller, id: workspaceId });
  expect(await actionsOf(workspaceId)).toEqual([
    'workspace.resumed', 'workspace.suspended', 'workspace.updated', 'key.rotated', 'key.updated', 'key.created', 'workspace.created',
  ]);
  const { entries } = await list(workspaceId, { target: key.id });
  expect(entries[0]).toMatchObject({ before: publicJson(KeySchema, updated), after: publicJson(KeySchema, rotated) });
  expect(entries[1]).toMatchObject({ before: publicJson(KeySchema, key), after: publicJson(KeySchema, updated) });
});

test('the log is read page by page, each entry once, and by who, what, of which thing and when', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  service.bed.clock.advance(1_000);
  await service.update(key, { name: 'By itself' }, service.callerOf(key));
  service.bed.clock.advance(1_000);
  await service.revoke(key);
  const first = await list(workspaceId, { limit: 3 });
  const second = await list(workspaceId, { limit: 3, after: first.entries.at(-1)!.id });
  expect([first.hasMore, second.hasMore]).toEqual([true, false]);
  expect([...first.entries, ...second.entries]).toEqual((await list(workspaceId)).entries);
  expect(await actionsOf(workspaceId, { actor: key.id })).toEqual(['key.updated']);
  expect(await actionsOf(workspaceId, { action: 'key.created' })).toEqual(['key.created']);
  expect(await actionsOf(workspaceId, { target: workspaceId })).toEqual(['workspace.created']);
  expect(await actionsOf(workspaceId, { since: service.in(-1_000), until: service.in(0) })).toEqual(['key.updated']);
  expect(await actionsOf(workspaceId, { since: service.in(-1_000), actor: 'operator' })).toEqual(['key.revoked']);
});

test('nobody reads the log of another workspace', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  await service.newKey(await service.newWorkspace());
  const { entries } = await service.audit.listAuditEntries({ caller: service.callerOf(key), limit: 100 });
  expect(entries.map(({ target }) => target)).toEqual([key.id, key.workspaceId]);
  await expect(service.audit.listAuditEntries({ caller: service.operator(), limit: 1 })).rejects.toMatchObject({ code: 'workspace_required' });
});

test('a change that can not be audited does not happen, and nobody is told of it', async () => {
  const workspaceId = await service.newWorkspace();
  const { key, secret } = await service.newKey(workspaceId);
  await service.sql.query(`ALTER TABLE audit_log ADD CONSTRAINT broken CHECK (target <> '${key.id}') NOT VALID`);
  await expect(service.keys.revokeKey({ caller: service.callerOf(key), id: key.id })).rejects.toMatchObject({ code: 'internal' });
  await service.sql.query('ALTER TABLE audit_log DROP CONSTRAINT broken');
  expect(await service.statusOf(key, secret)).toBe('valid');
  const { rows } = await service.sql.query(`SELECT 1 FROM outbox WHERE subject LIKE '%key.revoked'`);
  expect(rows).toEqual([]);
});
