// How many keys a workspace may have.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KeyManagementBed } from './key-management.bed.js';

const max = 4;

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start({ maxKeysPerWorkspace: max })));
afterAll(() => service.stop());

const full = { code: 'conflict', message: expect.stringContaining(`may have ${max}`) };

/** With so many keys, one after the other. */
async function workspaceWith(count: number): Promise<string> {
  const workspaceId = await service.newWorkspace();
  for (let made = 0; made < count; made++) await service.newKey(workspaceId);
  return workspaceId;
}

test('a workspace gets no key beyond its most, not from the operator either, and another one is not concerned', async () => {
  const workspaceId = await workspaceWith(max);
  await expect(service.newKey(workspaceId)).rejects.toMatchObject(full);
  await expect(service.newKey(await service.newWorkspace())).resolves.toBeDefined();
});

test('of many keys that are made at once on two replicas, as many are made as there is room for', async () => {
  await service.startReplica();
  const workspaceId = await workspaceWith(1);
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => service.newKey(workspaceId)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(max - 1);
  for (const refused of results.filter(({ status }) => status === 'rejected')) expect(refused).toMatchObject({ reason: full });
});

test('a key that is revoked or has expired makes room, one that is disabled or not yet valid does not', async () => {
  const workspaceId = await workspaceWith(1);
  const { key: ended } = await service.newKey(workspaceId, { expiresAt: service.in(1_000) });
  const { key: paused } = await service.newKey(workspaceId, { notBefore: service.in(60_000) });
  const { key: gone } = await service.newKey(workspaceId);
  await service.update(paused, { disabled: true });
  await expect(service.newKey(workspaceId)).rejects.toMatchObject(full);
  await service.revoke(gone);
  await expect(service.newKey(workspaceId)).resolves.toBeDefined();
  service.bed.clock.advance(1_000);
  await expect(service.newKey(workspaceId)).resolves.toBeDefined();
  await expect(service.newKey(workspaceId)).rejects.toMatchObject(full);
  await expect(service.update(ended, { expiresAt: service.in(1_000) })).rejects.toMatchObject(full);
  await expect(service.update(ended, { name: 'Over' })).resolves.toMatchObject({ status: 'expired' });
  await service.revoke(paused);
  await expect(service.update(ended, { expiresAt: service.in(1_000) })).resolves.toMatchObject({ status: 'active' });
});
