import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventData, type AuditEntry, type Key } from '@na/contracts';
import { typeid } from 'typeid-js';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

const report = (keyId: string, secret: string) =>
  service.keys.revokeLeakedKey({ keyId, secretDigest: sha256(secret), address: '198.51.100.4', requestId: 'req_9' });

async function auditOf({ workspaceId, id }: Key): Promise<AuditEntry[]> {
  const { entries } = await service.audit.listAuditEntries({ caller: service.operator(workspaceId), limit: 10, target: id });
  return entries;
}

test('whoever shows the secret of a key revokes it, and the audit log and subscribers are told why', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  expect(await report(key.id, secret)).toMatchObject({ revoked: true });
  expect(await service.get(key)).toMatchObject({ status: 'revoked', revokedReason: 'leaked' });
  expect((await auditOf(key))[0]).toMatchObject({ actor: 'leak_report', address: '198.51.100.4', requestId: 'req_9', action: 'key.revoked' });
  expect(eventData(await service.bed.nextEvent('key.revoked', key.workspaceId))).toMatchObject({ key_id: key.id, reason: 'leaked' });
});

test('a wrong secret and an unknown key get the same answer, and nothing happens', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  const answers = [await report(key.id, 'guess'), await report(typeid('key').toString(), secret)];
  expect(answers.map(({ revoked }) => revoked)).toEqual([false, false]);
  expect(await service.statusOf(key, secret)).toBe('valid');
  expect(await auditOf(key)).toHaveLength(1);
});

test('a secret from before a rotation revokes the key only while it still opens it', async () => {
  const workspaceId = await service.newWorkspace();
  const { key: done, secret: dead } = await service.newKey(workspaceId);
  await service.rotate(done, { overlapSeconds: 1 });
  service.bed.clock.advance(1_000);
  expect(await report(done.id, dead)).toMatchObject({ revoked: false });
  expect(await service.get(done)).toMatchObject({ status: 'active' });
  const { key: overlapping, secret: alive } = await service.newKey(workspaceId);
  await service.rotate(overlapping, { overlapSeconds: 1 });
  await report(overlapping.id, alive);
  expect(await service.get(overlapping)).toMatchObject({ status: 'revoked' });
});

test('a key that was revoked by hand stays so when its secret is reported later', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  await service.revoke(key);
  expect(await report(key.id, secret)).toMatchObject({ revoked: false });
  expect(await service.get(key)).toMatchObject({ revokedReason: 'by_hand' });
  expect(await auditOf(key)).toHaveLength(2);
});
