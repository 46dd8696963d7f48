import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { eventData } from '@na/contracts';
import { typeid } from 'typeid-js';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

test('a new key is valid with its own secret, and its verdict says what it may do', async () => {
  const workspaceId = await service.newWorkspace();
  const { key, secret } = await service.newKey(workspaceId);
  expect(await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) })).toMatchObject({
    status: 'valid',
    verdict: { keyId: key.id, workspaceId, scopes: ['pages:read', 'keys:write'], version: 1 },
  });
});

test('nothing is said of a key to whoever does not have its secret', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const wrong = await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256('guess') });
  const unknown = await service.keys.verifyKey({ keyId: typeid('key').toString(), secretDigest: sha256('guess') });
  expect([wrong.status, wrong.verdict]).toEqual(['wrong_secret', undefined]);
  expect([unknown.status, unknown.verdict]).toEqual(['unknown', undefined]);
});

test('a revoked key is refused from the reply to the revocation on', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  const { key: revoked } = await service.keys.revokeKey({ caller: service.callerOf(key), id: key.id });
  expect(revoked?.status).toBe('revoked');
  expect(await service.statusOf(key, secret)).toBe('revoked');
});

test('revoking again changes nothing and tells nobody', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const caller = service.callerOf(key);
  const first = await service.keys.revokeKey({ caller, id: key.id });
  service.bed.clock.advance(1_000);
  const second = await service.keys.revokeKey({ caller, id: key.id });
  expect(second.key?.revokedAt).toEqual(first.key?.revokedAt);
  const { rows } = await service.sql.query('SELECT 1 FROM audit_log WHERE target = $1', [key.id]);
  expect(rows).toHaveLength(2);
});

test('a key expires to the millisecond', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace(), { expiresAt: service.in(1_000) });
  service.bed.clock.advance(999);
  expect(await service.statusOf(key, secret)).toBe('valid');
  service.bed.clock.advance(1);
  expect(await service.statusOf(key, secret)).toBe('expired');
  const { key: shown } = await service.keys.getKey({ caller: service.callerOf(key), id: key.id });
  expect(shown?.status).toBe('expired');
});

test('no key of a suspended workspace is accepted', async () => {
  const workspaceId = await service.newWorkspace();
  const { key, secret } = await service.newKey(workspaceId);
  await service.sql.query('UPDATE workspaces SET suspended_at = now() WHERE id = $1', [workspaceId]);
  expect(await service.statusOf(key, secret)).toBe('suspended');
});

test('a key makes another one, but not one that is wider or lives longer than itself', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: maker } = await service.newKey(workspaceId, { expiresAt: service.in(60_000) });
  const made = { caller: service.callerOf(maker), callerScopes: maker.scopes, callerExpiresAt: maker.expiresAt, scopes: ['pages:read'] };
  await expect(service.newKey(workspaceId, { ...made, expiresAt: service.in(60_000) })).resolves.toMatchObject({ key: { status: 'active' } });
  await expect(service.newKey(workspaceId, { ...made, expiresAt: service.in(1_000), scopes: ['goals:read'] })).rejects.toMatchObject({ code: 'insufficient_scope' });
  await expect(service.newKey(workspaceId, { ...made, expiresAt: service.in(60_001) })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(service.newKey(workspaceId, made)).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/expires_at' }] });
});

test('a key can not make a key in another workspace, which looks like one that does not exist', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const foreign = await service.newWorkspace();
  const unknown = typeid('ws').toString();
  const maker = { caller: service.callerOf(key), callerScopes: key.scopes };
  const attempt = (workspaceId: string) => service.newKey(workspaceId, maker).catch((error: Error) => error.message.replace(workspaceId, 'ID'));
  expect(await attempt(foreign)).toBe('There is no workspace with the id ID in this workspace.');
  expect(await attempt(foreign)).toBe(await attempt(unknown));
});

test('a key of another workspace looks like one that does not exist, and is not revoked', async () => {
  const { key: mine } = await service.newKey(await service.newWorkspace());
  const { key: foreign, secret } = await service.newKey(await service.newWorkspace());
  const caller = service.callerOf(mine);
  await expect(service.keys.getKey({ caller, id: foreign.id })).rejects.toMatchObject({ code: 'not_found' });
  await expect(service.keys.revokeKey({ caller, id: foreign.id })).rejects.toMatchObject({ code: 'not_found' });
  expect(await service.statusOf(foreign, secret)).toBe('valid');
});

test('a list shows the keys of the own workspace page by page, each once', async () => {
  const workspaceId = await service.newWorkspace();
  await service.newKey(await service.newWorkspace());
  const made = [];
  for (let i = 0; i < 3; i++) made.push((await service.newKey(workspaceId)).key.id);
  const caller = service.operator(workspaceId);
  const first = await service.keys.listKeys({ caller, limit: 2 });
  const second = await service.keys.listKeys({ caller, limit: 2, after: first.keys[1]!.id });
  expect([first.hasMore, second.hasMore]).toEqual([true, false]);
  expect([...first.keys, ...second.keys].map(({ id }) => id)).toEqual(made.sort());
});

test('subscribers hear of a new and of a revoked key', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  await service.keys.revokeKey({ caller: service.callerOf(key), id: key.id });
  const created = await service.bed.nextEvent('key.created', workspaceId);
  expect(eventData(created)).toEqual({ key_id: key.id, name: 'CI', scopes: ['pages:read', 'keys:write'], expires_at: null, last_four: key.lastFour });
  const revoked = await service.bed.nextEvent('key.revoked', workspaceId);
  expect(eventData(revoked)).toMatchObject({ key_id: key.id, revoked_at: service.bed.clock.now().toISOString() });
  expect(timestampDate(revoked.createdAt!)).toEqual(service.bed.clock.now());
});

test('a request on nobody\'s behalf is refused', async () => {
  await expect(service.keys.listKeys({ limit: 1 })).rejects.toMatchObject({ code: 'invalid_request' });
});
