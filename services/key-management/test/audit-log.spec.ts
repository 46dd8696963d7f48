import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KeyManagementBed, sha256 } from './key-management.bed.js';

let service: KeyManagementBed;
beforeAll(async () => void (service = await KeyManagementBed.start()));
afterAll(() => service.stop());

test('the audit log says who did what from where, and how the key looked before and after', async () => {
  const workspaceId = await service.newWorkspace();
  const { key } = await service.newKey(workspaceId);
  await service.keys.revokeKey({ caller: service.callerOf(key), id: key.id });
  const { rows } = await service.sql.query('SELECT * FROM audit_log WHERE workspace_id = $1 ORDER BY id', [workspaceId]);
  expect(rows).toMatchObject([
    { actor: 'operator', address: '192.0.2.1', request_id: 'req_1', action: 'workspace.created', target: workspaceId, before: null, after: { name: 'Acme' } },
    { actor: 'operator', action: 'key.created', target: key.id, before: null, after: { name: 'CI', status: 'active' } },
    { actor: key.id, address: '192.0.2.7', request_id: 'req_2', action: 'key.revoked', target: key.id, before: { status: 'active' }, after: { status: 'revoked' } },
  ]);
});

test('a change that can not be audited does not happen, and nobody is told of it', async () => {
  const workspaceId = await service.newWorkspace();
  const { key, secret } = await service.newKey(workspaceId);
  await service.sql.query(`ALTER TABLE audit_log ADD CONSTRAINT broken CHECK (target <> '${key.id}') NOT VALID`);
  await expect(service.keys.revokeKey({ caller: service.callerOf(key), id: key.id })).rejects.toMatchObject({ code: 'internal' });
  await service.sql.query('ALTER TABLE audit_log DROP CONSTRAINT broken');
  expect(await service.statusOf(key, secret)).toBe('valid');
  const { rows } = await service.sql.query(`SELECT 1 FROM outbox WHERE subject LIKE '%key.revoked'`);
  expect(rows).toEqual([]);
});

test('neither the secret nor its digest is in the audit log or in what is told to others, and the table has only the keyed digest', async () => {
  await service.sql.query('CREATE TABLE outbox_copy AS TABLE outbox WITH NO DATA');
  await service.sql.query(`
    CREATE RULE keep AS ON INSERT TO outbox
    DO ALSO INSERT INTO outbox_copy (message_id, subject, body) VALUES (NEW.message_id, NEW.subject, NEW.body)`);
  await service.sql.query('GRANT ALL ON outbox_copy TO na_key_management');
  const { key, secret } = await service.newKey(await service.newWorkspace());
  await service.keys.revokeKey({ caller: service.callerOf(key), id: key.id });
  const { rows } = await service.sql.query<{ text: string }>(`
    SELECT 'audit ' || audit_log::text AS text FROM audit_log WHERE target = $1
    UNION ALL SELECT 'outbox ' || encode(body, 'escape') || encode(body, 'hex') FROM outbox_copy
    UNION ALL SELECT 'key ' || keys::text FROM keys WHERE id = $1`, [key.id]);
  const stored = rows.map(({ text }) => text).join('\n');
  expect(stored.match(/^(audit|outbox|key) /gm)).toHaveLength(2 + 4 + 1);
  expect(stored).not.toContain(secret);
  expect(stored).not.toContain(sha256(secret).toString('hex'));
});
