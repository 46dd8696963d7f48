import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KeyManagementBed } from './key-management.bed.js';

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
