import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Key } from '@na/contracts';
import { typeid } from 'typeid-js';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

const used = (key: Pick<Key, 'id'>, ms: number) => ({ keyId: key.id, lastUsedAt: service.in(ms) });

test('when a key was last used only moves forward, and never past now', async () => {
  const { key } = await service.newKey(await service.newWorkspace());
  const lastUsedAfter = async (...times: number[]) => {
    await service.keys.recordKeyUse({ uses: times.map((ms) => used(key, ms)) });
    return (await service.get(key)).lastUsedAt;
  };
  expect((await service.get(key)).lastUsedAt).toBeUndefined();
  expect(await lastUsedAfter(-5_000)).toEqual(service.in(-5_000));
  expect(await lastUsedAfter(-9_000)).toEqual(service.in(-5_000));
  expect(await lastUsedAfter(-4_000, -1_000, -3_000)).toEqual(service.in(-1_000));
  expect(await lastUsedAfter(60_000)).toEqual(service.in(0));
});

test('use is no change of the key: its version stays, nothing is audited or told', async () => {
  const { key, secret } = await service.newKey(await service.newWorkspace());
  await service.keys.recordKeyUse({ uses: [used(key, -1)] });
  expect(await service.keys.verifyKey({ keyId: key.id, secretDigest: sha256(secret) })).toMatchObject({ verdict: { version: 1 } });
  const { rows } = await service.sql.query('SELECT 1 FROM audit_log WHERE target = $1', [key.id]);
  expect(rows).toHaveLength(1);
});

test('one report covers keys of many workspaces and ignores what is no key', async () => {
  const { key: one } = await service.newKey(await service.newWorkspace());
  const { key: two } = await service.newKey(await service.newWorkspace());
  await service.keys.recordKeyUse({ uses: [used(one, -1), used({ id: typeid('key').toString() }, -1), used({ id: "'; --" }, -1), used(two, -2)] });
  expect([(await service.get(one)).lastUsedAt, (await service.get(two)).lastUsedAt]).toEqual([service.in(-1), service.in(-2)]);
});

test('a report is of a thousand keys at most', async () => {
  const uses = Array.from({ length: 1_001 }, () => used({ id: 'key_1' }, -1));
  await expect(service.keys.recordKeyUse({ uses })).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(service.keys.recordKeyUse({ uses: uses.slice(1) })).resolves.toBeDefined();
});
