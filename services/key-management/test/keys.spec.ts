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
  const rateLimit = { $typeName: 'keys.v1.RateLimit', limit: 5, windowSeconds: 1 } as const;
  const { key, secret } = await service.newKey(workspaceId, { allowedIps: ['192.0.2.9/24', '::ffff:10.0.0.1'], rateLimit });
  const { status, verdict } = await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) });
  expect(status).toBe('valid');
  expect(verdict).toMatchObject({
    keyId: key.id,
    workspaceId,
    scopes: ['pages:read', 'keys:write'],
    version: 1,
    workspaceVersion: 1,
    allowedIps: ['192.0.2.0/24', '10.0.0.1'],
    rateLimit,
  });
  expect([verdict?.expiresAt, verdict?.secretExpiresAt]).toEqual([undefined, undefined]);
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
  expect(revoked).toMatchObject({ status: 'revoked', revokedReason: 'by_hand' });
  expect(await service.statusOf(key, secret)).toBe('revoked');
});

test('revoking again changes nothing and tells nobody', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const first = await service.revoke(key);
  service.bed.clock.advance(1_000);
  const second = await service.revoke(key);
  expect(second.revokedAt).toEqual(first.revokedAt);
  const { rows } = await service.sql.query('SELECT 1 FROM audit_log WHERE target = $1', [key.id]);
  expect(rows).toHaveLength(2);
});

test('a key starts and expires to the millisecond', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace(), { notBefore: service.in(500), expiresAt: service.in(1_000) });
  const statusAfter = async (ms: number) => {
    service.bed.clock.advance(ms);
    return [await service.statusOf(key, secret), (await service.get(key)).status];
  };
  expect(await statusAfter(499)).toEqual(['not_yet_valid', 'not_yet_valid']);
  expect(await statusAfter(1)).toEqual(['valid', 'active']);
  expect(await statusAfter(499)).toEqual(['valid', 'active']);
  expect(await statusAfter(1)).toEqual(['expired', 'expired']);
});

test('a key makes another one, but not one that is wider or lives longer than itself', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: maker } = await service.newKey(workspaceId, { expiresAt: service.in(60_000) });
  const made = { caller: service.callerOf(maker), scopes: ['pages:read'] };
  await expect(service.newKey(workspaceId, { ...made, expiresAt: service.in(60_000) })).resolves.toMatchObject({ key: { status: 'active' } });
  const wider = service.newKey(workspaceId, { ...made, expiresAt: service.in(1_000), scopes: ['goals:read'] });
  await expect(wider).rejects.toMatchObject({ code: 'insufficient_scope' });
  await expect(service.newKey(workspaceId, { ...made, expiresAt: service.in(60_001) })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(service.newKey(workspaceId, made)).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/expires_at' }] });
});

test('what a key may do is what counts when another is made, not what the gateway last knew of it', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: maker } = await service.newKey(workspaceId);
  const made = { caller: service.callerOf(maker), scopes: ['pages:read'] };
  await service.update(maker, { scopes: ['keys:write'] });
  await expect(service.newKey(workspaceId, made)).rejects.toMatchObject({ code: 'insufficient_scope' });
  await service.revoke(maker);
  await expect(service.newKey(workspaceId, { ...made, scopes: ['keys:write'] })).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('an id is given once: a second key of the same id is a conflict, whoever has the first', async () => {
  const workspaceId = await service.newWorkspace();
  const { key, secret } = await service.newKey(workspaceId);
  await expect(service.newKey(workspaceId, { id: key.id })).rejects.toMatchObject({ code: 'conflict' });
  await expect(service.newKey(await service.newWorkspace(), { id: key.id })).rejects.toMatchObject({ code: 'conflict' });
  expect(await service.statusOf(key, secret)).toBe('valid');
});

test('a second try of a creation finds the key of the first and tells of nothing again, unless its caller may make none any more', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: maker } = await service.newKey(workspaceId);
  const caller = service.callerOf(maker);
  const { key, secret } = await service.newKey(workspaceId, { caller });
  const again = { caller, id: key.id, isRepeat: true };
  expect((await service.newKey(workspaceId, again)).key.lastFour).toBe(key.lastFour);
  expect(await service.statusOf(key, secret)).toBe('valid');
  const { entries } = await service.audit.listAuditEntries({ caller: service.operator(workspaceId), limit: 10, target: key.id });
  expect(entries.map(({ action }) => action)).toEqual(['key.created']);
  await expect(service.newKey(await service.newWorkspace(), { id: key.id, isRepeat: true })).rejects.toMatchObject({ code: 'conflict' });
  await service.revoke(maker);
  await expect(service.newKey(workspaceId, again)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('what is wrong with the addresses and limits of a new key is pointed at', async () => {
  const workspaceId = await service.newWorkspace();
  const faulty = service.newKey(workspaceId, { allowedIps: ['10.0.0.1', '10.0.0.0/40'] });
  await expect(faulty).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/allowed_ips/1', code: 'invalid_format' }] });
  const rateLimit = { $typeName: 'keys.v1.RateLimit', limit: 0, windowSeconds: 3_601 } as const;
  await expect(service.newKey(workspaceId, { rateLimit })).rejects.toMatchObject({
    fields: [{ pointer: '/rate_limit/limit' }, { pointer: '/rate_limit/window_seconds' }],
  });
});

test('a key can not make a key in another workspace, which looks like one that does not exist', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const foreign = await service.newWorkspace();
  const unknown = typeid('ws').toString();
  const maker = { caller: service.callerOf(key) };
  const attempt = (workspaceId: string) => service.newKey(workspaceId, maker).catch((error: Error) => error.message.replace(workspaceId, 'ID'));
  expect(await attempt(foreign)).toBe('There is no workspace with the id ID.');
  expect(await attempt(foreign)).toBe(await attempt(unknown));
});

test('a key of another workspace looks like one that does not exist, and is not changed', async () => {
  const { key: mine } = await service.newKey(await service.newWorkspace());
  const { key: foreign, secret } = await service.newKey(await service.newWorkspace());
  const caller = service.callerOf(mine);
  const attempts = [
    service.keys.getKey({ caller, id: foreign.id }),
    service.keys.revokeKey({ caller, id: foreign.id }),
    service.update(foreign, { disabled: true }, caller),
    service.rotate(foreign, {}, caller),
  ];
  for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: 'not_found' });
  expect(await service.statusOf(foreign, secret)).toBe('valid');
});

test('subscribers hear of a new and of a revoked key', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  await service.revoke(key);
  const created = await service.bed.nextEvent('key.created', workspaceId);
  expect(eventData(created)).toEqual({ key_id: key.id, name: 'CI', scopes: ['pages:read', 'keys:write'], expires_at: null, last_four: key.lastFour });
  const revoked = await service.bed.nextEvent('key.revoked', workspaceId);
  expect(eventData(revoked)).toEqual({ key_id: key.id, name: 'CI', revoked_at: service.bed.clock.now().toISOString(), reason: 'by_hand' });
  expect(timestampDate(revoked.createdAt!)).toEqual(service.bed.clock.now());
});

test('a request on nobody\'s behalf, or about no workspace, is refused', async () => {
  await expect(service.keys.listKeys({ limit: 1 })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(service.keys.listKeys({ caller: service.operator(), limit: 1 })).rejects.toMatchObject({ code: 'workspace_required' });
  await expect(service.keys.revokeKey({ caller: service.operator(), id: 'key_1' })).rejects.toMatchObject({ code: 'workspace_required' });
});
