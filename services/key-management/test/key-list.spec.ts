import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Key } from '@na/contracts';
import { KeyManagementBed } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

const idsOf = (keys: Key[]) => keys.map(({ id }) => id);

test('a list shows the keys of the own workspace page by page, each once', async () => {
  const workspaceId = await service.newWorkspace();
  await service.newKey(await service.newWorkspace());
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await service.newKey(workspaceId)).key.id);
  const caller = service.operator(workspaceId);
  const first = await service.keys.listKeys({ caller, limit: 2 });
  const second = await service.keys.listKeys({ caller, limit: 2, after: first.keys[1]!.id });
  expect([first.hasMore, second.hasMore]).toEqual([true, false]);
  expect(idsOf([...first.keys, ...second.keys])).toEqual(made.sort());
});

test('a list by status has exactly the keys that show this status, at the millisecond where it changes too', async () => {
  const workspaceId = await service.newWorkspace();
  const times = [undefined, service.in(1_000), service.in(1_001), service.in(2_000)];
  for (const expiresAt of times.slice(1)) await service.newKey(workspaceId, { expiresAt });
  for (const notBefore of times) await service.newKey(workspaceId, { notBefore });
  const { key: both } = await service.newKey(workspaceId, { notBefore: service.in(500), expiresAt: service.in(1_500) });
  await service.update(both, { disabled: true });
  const { key: expiredAndDisabled } = await service.newKey(workspaceId, { expiresAt: service.in(10) });
  await service.update(expiredAndDisabled, { disabled: true });
  await service.revoke((await service.newKey(workspaceId, { expiresAt: service.in(10) })).key);
  service.bed.clock.advance(1_000);

  const caller = service.operator(workspaceId);
  const { keys: all } = await service.keys.listKeys({ caller, limit: 100 });
  expect(new Set(all.map(({ status }) => status)).size).toBe(5);
  for (const status of ['active', 'not_yet_valid', 'disabled', 'expired', 'revoked']) {
    const { keys } = await service.keys.listKeys({ caller, limit: 100, status });
    expect(idsOf(keys)).toEqual(idsOf(all.filter((key) => key.status === status)));
  }
});

test('a list can be narrowed to a part of the name, as it is written, and to what expires soon', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: soon } = await service.newKey(workspaceId, { name: '100%_Import', expiresAt: service.in(1_000) });
  const { key: later } = await service.newKey(workspaceId, { name: '100 imports', expiresAt: service.in(9_000) });
  await service.newKey(workspaceId, { name: 'Other' });
  const list = async (filter: object) => idsOf((await service.keys.listKeys({ caller: service.operator(workspaceId), limit: 100, ...filter })).keys);
  expect(await list({ name: 'IMPORT' })).toEqual([soon.id, later.id].sort());
  expect(await list({ name: '%_' })).toEqual([soon.id]);
  expect(await list({ expiresBefore: service.in(9_000) })).toEqual([soon.id]);
  expect(await list({ name: 'import', expiresBefore: service.in(9_001), status: 'active' })).toEqual([soon.id, later.id].sort());
  expect(await list({ name: 'import', status: 'revoked' })).toEqual([]);
});

test('a status that no key has is pointed at', async () => {
  const attempt = service.keys.listKeys({ caller: service.operator(await service.newWorkspace()), limit: 1, status: 'odd' });
  await expect(attempt).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/status' }] });
});
