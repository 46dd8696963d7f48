import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { etagOf, eventData, KeySchema, type Key } from '@na/contracts';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

const verify = (key: Key, secret: string) => service.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) });

test('a rotated key keeps its id, scopes and limits, and both secrets work until the overlap ends, to the millisecond', async () => {
  const { key, secret: old } = await service.newKey(await service.newWorkspace(), { allowedIps: ['10.0.0.1'], expiresAt: service.in(600_000) });
  const endsAt = service.in(60_000);
  const { key: rotated, secret } = await service.rotate(key, { overlapSeconds: 60 });
  expect(rotated).toEqual({ ...key, lastFour: secret.slice(-4), rotatedAt: service.in(0), previousSecretExpiresAt: endsAt });
  const { status, verdict } = await verify(key, secret);
  expect([status, verdict?.version, verdict?.secretExpiresAt]).toEqual(['valid', 2, undefined]);
  service.bed.clock.advance(59_999);
  expect(await verify(key, old)).toMatchObject({ status: 'valid', verdict: { version: 2, allowedIps: ['10.0.0.1'], secretExpiresAt: endsAt } });
  service.bed.clock.advance(1);
  expect([await service.statusOf(key, old), await service.statusOf(key, secret)]).toEqual(['superseded', 'valid']);
  expect((await service.get(key)).previousSecretExpiresAt).toBeUndefined();
});

test('without an overlap the secret so far is superseded from the answer on, which no guess is', async () => {
  const { key, secret: old } = await service.newKey(await service.newWorkspace());
  const { key: rotated, secret } = await service.rotate(key);
  expect([await service.statusOf(key, old), await service.statusOf(key, secret)]).toEqual(['superseded', 'valid']);
  expect(await service.statusOf(key, 'guess')).toBe('wrong_secret');
  expect((await verify(key, old)).verdict).toBeUndefined();
  expect(rotated.previousSecretExpiresAt).toBeUndefined();
  const { previous_valid_until: until } = eventData(await service.bed.nextEvent('key.rotated', key.workspaceId)) as { previous_valid_until: string | null };
  expect(until).toBeNull();
});

test('an overlap never reaches past the expiry of the key', async () => {
  const { key, secret: old } = await service.newKey(await service.newWorkspace(), { expiresAt: service.in(1_000) });
  const { key: rotated } = await service.rotate(key, { overlapSeconds: 60 });
  expect(rotated.previousSecretExpiresAt).toEqual(key.expiresAt);
  service.bed.clock.advance(999);
  expect(await service.statusOf(key, old)).toBe('valid');
  service.bed.clock.advance(1);
  expect(await service.statusOf(key, old)).toBe('superseded');
});

test('rotating again within an overlap leaves two secrets, not three', async () => {
  const { key, secret: first } = await service.newKey(await service.newWorkspace());
  const { secret: second } = await service.rotate(key, { overlapSeconds: 600 });
  const { secret: third } = await service.rotate(key, { overlapSeconds: 60 });
  const statuses = [await service.statusOf(key, first), await service.statusOf(key, second), await service.statusOf(key, third)];
  expect(statuses).toEqual(['wrong_secret', 'valid', 'valid']);
});

test('whatever becomes of the key becomes of both secrets', async () => {
  const { key, secret: old } = await service.newKey(await service.newWorkspace());
  const { secret } = await service.rotate(key, { overlapSeconds: 60 });
  await service.revoke(key);
  expect([await service.statusOf(key, old), await service.statusOf(key, secret)]).toEqual(['revoked', 'revoked']);
});

test('a revoked, expired or disabled key is not brought back by a rotation', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: revoked } = await service.newKey(workspaceId);
  await service.revoke(revoked);
  const { key: disabled } = await service.newKey(workspaceId);
  await service.update(disabled, { disabled: true });
  const { key: expired } = await service.newKey(workspaceId, { expiresAt: service.in(1) });
  service.bed.clock.advance(1);
  for (const key of [revoked, disabled, expired]) {
    const before = await service.get(key);
    await expect(service.rotate(key)).rejects.toMatchObject({ code: 'conflict' });
    expect(await service.get(key)).toEqual(before);
  }
});

test('a change that had to wait is judged by the moment it is made, not by when it was asked for', async () => {
  const { key } = await service.newKey(await service.newWorkspace(), { expiresAt: service.in(1_000) });
  const [rotation] = await service.contend([key], [() => service.rotate(key, { overlapSeconds: 60 })], () => service.bed.clock.advance(1_000));
  expect(rotation).toMatchObject({ status: 'rejected', reason: { code: 'conflict' } });
});

test('a key can not take over one that may do more', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: wide, secret } = await service.newKey(workspaceId);
  const { key: narrow } = await service.newKey(workspaceId, { scopes: ['keys:write'] });
  await expect(service.rotate(wide, {}, service.callerOf(narrow))).rejects.toMatchObject({ code: 'insufficient_scope' });
  expect(await service.statusOf(wide, secret)).toBe('valid');
  await expect(service.rotate(narrow, {}, service.callerOf(wide))).resolves.toBeDefined();
  await expect(service.rotate(wide, {}, service.callerOf(wide))).resolves.toBeDefined();
});

test('an overlap is a week at most', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  await expect(service.rotate(key, { overlapSeconds: 604_801 })).rejects.toMatchObject({ fields: [{ pointer: '/overlap_seconds' }] });
  const { key: rotated } = await service.rotate(key, { overlapSeconds: 604_800 });
  expect(timestampDate(rotated.previousSecretExpiresAt!)).toEqual(timestampDate(service.in(604_800_000)));
});

test('subscribers hear of a rotation, and until when the secret before works', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  const { key: rotated } = await service.rotate(key, { overlapSeconds: 60 });
  expect(eventData(await service.bed.nextEvent('key.rotated', workspaceId))).toEqual({
    key_id: key.id,
    name: 'CI',
    last_four: rotated.lastFour,
    rotated_at: service.bed.clock.now().toISOString(),
    previous_valid_until: timestampDate(service.in(60_000)).toISOString(),
  });
});

test('a rotation that is tried again under its name is not made again, whatever ETag it was for and however the key fares since', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  const rotation = { rotationId: 'rotation_1', overlapSeconds: 60, ifMatch: etagOf(KeySchema, key) };
  const first = await service.rotate(key, rotation);
  await service.update(key, { disabled: true });
  const second = await service.rotate(key, rotation);
  expect(second.key).toMatchObject({ lastFour: first.key.lastFour, rotatedAt: first.key.rotatedAt });
  await service.update(key, { disabled: false });
  expect([await service.statusOf(key, first.secret), await service.statusOf(key, second.secret)]).toEqual(['valid', 'wrong_secret']);
  const { entries } = await service.audit.listAuditEntries({ caller: service.operator(workspaceId), limit: 10, action: 'key.rotated' });
  expect(entries).toHaveLength(1);
});
