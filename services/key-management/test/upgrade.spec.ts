import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { CallerSchema, KeyService } from '@na/contracts';
import { openDatabase } from '@na/service-host';
import { TestBed } from '@na/testing';
import pg from 'pg';
import { typeid } from 'typeid-js';
import { KeyDigester } from '../src/keys/key-digest.js';
import { CreateTables1793000000000 } from '../src/migrations/1793000000000-create-tables.js';
import { CreateOutboxFailed1797000000000 } from '../src/migrations/1797000000000-create-outbox-failed.js';
import { startKeyManagement } from '../src/start.js';
import { defaults, sha256 } from './key-management.bed.js';

const keyPeppers = [{ version: 1, key: randomBytes(32) }];
const workspaceId = typeid('ws').toString();
const dayMs = 86_400_000;

let bed: TestBed;
beforeAll(async () => void (bed = await TestBed.start()));
afterAll(() => bed.stop());

/** As the version before stored it. */
async function insertOldKey(sql: pg.Client, secret: string, times: { expiresAt?: Date; revokedAt?: Date } = {}): Promise<string> {
  const id = typeid('key').toString();
  const { secretMac, pepperVersion } = new KeyDigester(keyPeppers).store(sha256(secret));
  await sql.query(
    `INSERT INTO keys (workspace_id, id, name, scopes, last_four, secret_mac, pepper_version, version, created_at, expires_at, revoked_at)
     VALUES ($1, $2, 'Old', ARRAY['pages:read'], 'abcd', $3, $4, 1, now(), $5, $6)`,
    [workspaceId, id, secretMac, pepperVersion, times.expiresAt, times.revokedAt],
  );
  return id;
}

test('keys that an earlier version has made go on working, and their owners are warned of their end', async () => {
  const config = { ...bed.config('key-management'), ...defaults, keyPeppers };
  const before = bed.host('key-management');
  const migrations = [CreateTables1793000000000, CreateOutboxFailed1797000000000];
  await openDatabase({ ...config, schema: 'key_management', entities: [], migrations }, before);
  await before.stop();
  const sql = new pg.Client({ connectionString: bed.database.adminUrl });
  await sql.connect();
  await sql.query('SET search_path = key_management');
  await sql.query(`INSERT INTO workspaces VALUES ($1, 'Acme', 'UTC', '{}', now(), NULL)`, [workspaceId]);
  const good = await insertOldKey(sql, 'good', { expiresAt: new Date(bed.clock.now().getTime() + 3 * dayMs) });
  const revoked = await insertOldKey(sql, 'revoked', { revokedAt: bed.clock.now() });
  await sql.end();

  await startKeyManagement(config, bed.host('key-management'));
  const keys = bed.rpc.client(KeyService);
  expect((await keys.verifyKey({ keyId: good, secretDigest: sha256('good') })).status).toBe('valid');
  const caller = create(CallerSchema, { workspaceId, actor: 'operator' });
  expect((await keys.getKey({ caller, id: revoked })).key).toMatchObject({ status: 'revoked', revokedReason: 'by_hand' });
  expect(await bed.nextEvent('key.expiring', workspaceId)).toMatchObject({ data: { value: { keyId: good } } });
});
