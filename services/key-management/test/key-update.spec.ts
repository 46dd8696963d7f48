import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { etagOf, KeySchema, type Key } from '@na/contracts';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => {
  service = await KeyManagementBed.start();
  // Within one, the changes of a workspace never meet.
  await service.startReplica();
});
afterAll(() => service.stop());

/** So many that not all of them get to the same replica. */
const enough = <T>(attempt: (index: number) => T) => Array.from({ length: 20 }, (_, index) => attempt(index));

const verdictOf = async (key: Key, secret: string) => (await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) })).verdict;

test('a change takes only the fields it names, and what is named without a value is without', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace(), { expiresAt: service.in(5_000), allowedIps: ['10.0.0.1'] });
  const updated = await service.update(key, { name: 'Renamed', expiresAt: undefined, scopes: ['goals:read'] });
  expect(updated).toMatchObject({ name: 'Renamed', scopes: ['goals:read'], allowedIps: ['10.0.0.1'], lastFour: key.lastFour });
  expect(updated.expiresAt).toBeUndefined();
  expect(await service.get(key)).toEqual(updated);
  expect(await verdictOf(key, secret)).toMatchObject({ version: 2, scopes: ['goals:read'], allowedIps: ['10.0.0.1'] });
});

test('what changes nothing makes no new version and is not audited', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  await service.update(key, { name: key.name, disabled: false, allowedIps: [] });
  expect(await verdictOf(key, secret)).toMatchObject({ version: 1 });
  const { rows } = await service.sql.query(`SELECT 1 FROM audit_log WHERE target = $1 AND action = 'key.updated'`, [key.id]);
  expect(rows).toEqual([]);
});

test('a key is switched off and on again', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  const off = await service.update(key, { disabled: true });
  expect([off.status, await service.statusOf(key, secret)]).toEqual(['disabled', 'disabled']);
  service.bed.clock.advance(1_000);
  expect((await service.update(key, { disabled: true })).disabledAt).toEqual(off.disabledAt);
  const on = await service.update(key, { disabled: false });
  expect([on.status, on.disabledAt, await service.statusOf(key, secret)]).toEqual(['active', undefined, 'valid']);
});

test('a revoked key stays as it is', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const revoked = await service.revoke(key);
  await expect(service.update(key, { name: 'Back' })).rejects.toMatchObject({ code: 'conflict' });
  expect(await service.get(key)).toEqual(revoked);
});

test('an expired key can be renamed, and given more time by whoever may', async () => {
  const workspaceId = await service.newWorkspace();
  const { key, secret } = await service.newKey(workspaceId, { expiresAt: service.in(1_000) });
  const { key: narrow } = await service.newKey(workspaceId, { scopes: ['keys:write'] });
  service.bed.clock.advance(1_000);
  expect(await service.update(key, { name: 'Old' }, service.callerOf(narrow))).toMatchObject({ name: 'Old', status: 'expired' });
  await expect(service.update(key, { expiresAt: service.in(-1) })).rejects.toMatchObject({ fields: [{ pointer: '/expires_at', code: 'not_in_future' }] });
  await expect(service.update(key, { expiresAt: service.in(1_000) }, service.callerOf(narrow))).rejects.toMatchObject({ code: 'insufficient_scope' });
  await service.update(key, { expiresAt: service.in(1_000) });
  expect(await service.statusOf(key, secret)).toBe('valid');
});

test('a key can not widen itself', async () => {
  const rateLimit = { $typeName: 'keys.v1.RateLimit', limit: 5, windowSeconds: 60 } as const;
  const limits = { allowedIps: ['10.0.0.0/8'], rateLimit, expiresAt: service.in(60_000) };
  const { key } = await service.newKey(await service.newWorkspace(), limits);
  const self = { ...service.callerOf(key), address: '10.1.0.1' };
  const wider = service.update(key, { scopes: [...key.scopes, 'keys:read'] }, self);
  await expect(wider).rejects.toMatchObject({ code: 'insufficient_scope', fields: [{ pointer: '/scopes/2' }] });
  await expect(service.update(key, { expiresAt: undefined }, self)).rejects.toMatchObject({ fields: [{ pointer: '/expires_at' }] });
  await expect(service.update(key, { allowedIps: [] }, self)).rejects.toMatchObject({ fields: [{ pointer: '/allowed_ips' }] });
  await expect(service.update(key, { allowedIps: ['10.0.0.0/7'] }, self)).rejects.toMatchObject({ fields: [{ pointer: '/allowed_ips/0' }] });
  await expect(service.update(key, { rateLimit: undefined }, self)).rejects.toMatchObject({ fields: [{ pointer: '/rate_limit' }] });
  const narrower = { allowedIps: ['10.1.0.0/16'], scopes: ['keys:write'] };
  expect(await service.update(key, narrower, self)).toMatchObject(narrower);
});

test('a change that names an ETag is made only if the key still has it', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const ifMatch = etagOf(KeySchema, key);
  const renamed = await service.update(key, { name: 'One', ifMatch });
  await expect(service.update(key, { name: 'Two', ifMatch })).rejects.toMatchObject({ code: 'precondition_failed' });
  await expect(service.rotate(key, { ifMatch })).rejects.toMatchObject({ code: 'precondition_failed' });
  const revocation = service.keys.revokeKey({ caller: service.operator(key.workspaceId), id: key.id, ifMatch });
  await expect(revocation).rejects.toMatchObject({ code: 'precondition_failed' });
  expect(await service.get(key)).toEqual(renamed);
  expect((await service.rotate(key, { ifMatch: etagOf(KeySchema, renamed) })).key.rotatedAt).toBeDefined();
});

test('of changes at once that name the same ETag one is made', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const ifMatch = etagOf(KeySchema, key);
  const rename = (name: string) => () => service.update(key, { name, ifMatch });
  const results = await service.contend([key], enough((index) => rename(`Number ${index}`)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'precondition_failed' } });
});

test('keys that change each other at the same time take turns', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: one } = await service.newKey(workspaceId);
  const { key: two } = await service.newKey(workspaceId);
  const rename = (key: Key, by: Key) => () => service.update(key, { name: 'Renamed' }, service.callerOf(by));
  const results = await service.contend([one, two], enough((index) => (index % 2 ? rename(one, two) : rename(two, one))));
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['fulfilled']));
});

test('a field that can not be changed is pointed at', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const attempt = service.keys.updateKey({ caller: service.operator(key.workspaceId), id: key.id, fields: ['last_four'] });
  await expect(attempt).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/last_four' }] });
});
