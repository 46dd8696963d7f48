import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { etagOf, WorkspaceSchema } from '@na/contracts';
import { typeid } from 'typeid-js';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

test('the operator makes a workspace, and its own keys see it', async () => {
  const id = await service.newWorkspace();
  const { key } = await service.newKey(id);
  const { workspace } = await service.workspaces.getWorkspace({ caller: service.callerOf(key), id });
  expect(workspace).toMatchObject({ id, name: 'Acme', timeZone: 'Europe/Berlin', ownerEmails: ['o@example.com'] });
});

test('a key does not make workspaces', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const attempt = service.workspaces.createWorkspace({ caller: service.callerOf(key), name: 'Mine', timeZone: 'UTC' });
  await expect(attempt).rejects.toMatchObject({ code: 'insufficient_scope' });
});

test('another workspace looks like one that does not exist', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const id = await service.newWorkspace();
  await expect(service.workspaces.getWorkspace({ caller: service.callerOf(key), id })).rejects.toMatchObject({ code: 'not_found' });
});

test('an operator who names one workspace reads and changes no other', async () => {
  const [named, id] = [await service.newWorkspace(), await service.newWorkspace()];
  const caller = service.operator(named);
  const refusal = { code: 'not_found', message: `There is no workspace with the id ${id}.` };
  await expect(service.workspaces.getWorkspace({ caller, id })).rejects.toMatchObject(refusal);
  await expect(service.workspaces.updateWorkspace({ caller, id, fields: ['name'], name: 'Taken' })).rejects.toMatchObject(refusal);
  await expect(service.workspaces.suspendWorkspace({ caller, id })).rejects.toMatchObject(refusal);
  await expect(service.workspaces.resumeWorkspace({ caller, id })).rejects.toMatchObject(refusal);
  const { workspace } = await service.workspaces.getWorkspace({ caller: service.operator(id), id });
  expect([workspace!.name, workspace!.suspendedAt]).toEqual(['Acme', undefined]);
});

test('an operator who has slipped in the id of a workspace is told so, and not that it has nothing', async () => {
  const id = typeid('ws').toString();
  const caller = service.operator(id);
  const refusal = { code: 'not_found', message: `There is no workspace with the id ${id}.` };
  await expect(service.keys.listKeys({ caller, limit: 10 })).rejects.toMatchObject(refusal);
  await expect(service.keys.getKey({ caller, id: typeid('key').toString() })).rejects.toMatchObject(refusal);
  await expect(service.audit.listAuditEntries({ caller, limit: 10 })).rejects.toMatchObject(refusal);
});

test('a workspace can be renamed, and has only zones that exist and know summer time', async () => {
  const id = await service.newWorkspace();
  const { key } = await service.newKey(id, { scopes: ['workspaces:write'] });
  const caller = service.callerOf(key);
  const change = { fields: ['name', 'owner_emails'], name: 'Acme 2', ownerEmails: [], timeZone: 'ignored' };
  const { workspace } = await service.workspaces.updateWorkspace({ caller, id, ...change });
  expect(workspace).toMatchObject({ name: 'Acme 2', ownerEmails: [], timeZone: 'Europe/Berlin' });
  expect((await service.workspaces.getWorkspace({ caller, id })).workspace).toEqual(workspace);
  for (const timeZone of ['Mars/Olympus', '+01:00', '']) {
    const fault = { code: 'invalid_request', fields: [{ pointer: '/time_zone' }] };
    await expect(service.workspaces.updateWorkspace({ caller, id, fields: ['time_zone'], timeZone })).rejects.toMatchObject(fault);
    await expect(service.workspaces.createWorkspace({ caller: service.operator(), name: 'New', timeZone })).rejects.toMatchObject(fault);
  }
  await expect(service.workspaces.updateWorkspace({ caller, id, fields: ['created_at'] })).rejects.toMatchObject({ fields: [{ pointer: '/created_at' }] });
});

test('a change of a workspace that names an ETag is made only if it still has it', async () => {
  const id = await service.newWorkspace();
  const caller = service.operator();
  const { workspace } = await service.workspaces.getWorkspace({ caller, id });
  const ifMatch = etagOf(WorkspaceSchema, workspace!);
  const change = (name: string) => service.workspaces.updateWorkspace({ caller, id, fields: ['name'], name, ifMatch });
  await change('One');
  await expect(change('Two')).rejects.toMatchObject({ code: 'precondition_failed' });
});

test('a key that is revoked while its request is on the way changes no workspace', async () => {
  const id = await service.newWorkspace();
  const { key } = await service.newKey(id);
  await service.revoke(key);
  const attempt = service.workspaces.updateWorkspace({ caller: service.callerOf(key), id, fields: ['name'], name: 'Mine' });
  await expect(attempt).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('no key of a suspended workspace is accepted from the answer on, and all are once it is resumed', async () => {
  const id = await service.newWorkspace();
  const { key, secret } = await service.newKey(id);
  const caller = service.operator();
  const verify = async () => {
    const { status, verdict } = await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) });
    return [status, verdict?.workspaceVersion];
  };
  const { workspace: suspended } = await service.workspaces.suspendWorkspace({ caller, id });
  expect([suspended!.suspendedAt, await verify()]).toEqual([service.in(0), ['suspended', 2]]);
  service.bed.clock.advance(1_000);
  const { workspace: again } = await service.workspaces.suspendWorkspace({ caller, id });
  expect([again, await verify()]).toEqual([suspended, ['suspended', 2]]);
  const { workspace: resumed } = await service.workspaces.resumeWorkspace({ caller, id });
  expect([resumed!.suspendedAt, await verify()]).toEqual([undefined, ['valid', 3]]);
  await service.workspaces.resumeWorkspace({ caller, id });
  expect(await verify()).toEqual(['valid', 3]);
});

test('a key neither lists, suspends nor resumes workspaces, not even its own', async () => {
  const id = await service.newWorkspace();
  const caller = service.callerOf((await service.newKey(id)).key);
  const refused = { code: 'insufficient_scope' };
  await expect(service.workspaces.listWorkspaces({ caller, limit: 1 })).rejects.toMatchObject(refused);
  await expect(service.workspaces.suspendWorkspace({ caller, id })).rejects.toMatchObject(refused);
  await expect(service.workspaces.resumeWorkspace({ caller, id })).rejects.toMatchObject(refused);
});

test('the operator lists all workspaces page by page, each once', async () => {
  const made = [await service.newWorkspace(), await service.newWorkspace(), await service.newWorkspace()];
  const listed: string[] = [];
  for (let hasMore = true; hasMore; ) {
    const page = await service.workspaces.listWorkspaces({ caller: service.operator(), limit: 2, after: listed.at(-1) });
    listed.push(...page.workspaces.map(({ id }) => id));
    hasMore = page.hasMore;
  }
  expect(listed).toEqual([...new Set(listed)].sort());
  expect(listed).toEqual(expect.arrayContaining(made));
});

test('tries of one request make one workspace, also at once, and it is recorded once', async () => {
  const wanted = { caller: service.operator(), id: typeid('ws').toString(), name: 'Once', timeZone: 'UTC' };
  const made = await Promise.all([1, 2, 3].map(() => service.workspaces.createWorkspace(wanted)));
  expect(made).toEqual(Array(3).fill(made[0]));
  const { entries } = await service.audit.listAuditEntries({ caller: service.operator(wanted.id), limit: 10 });
  expect(entries.map(({ action }) => action)).toEqual(['workspace.created']);
});
