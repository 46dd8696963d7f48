// What the database itself keeps apart: statements here leave the workspace out on purpose, as the gateway's own role.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acrossWorkspaces, inWorkspace } from '@na/service-host';
import { tablesWithoutRowSecurity } from '@na/testing';
import pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { GatewayBed, type TestKey } from './gateway.bed.js';

let gateway: GatewayBed;
let database: DataSource;
let sql: pg.Client;
let mine: TestKey;
let foreign: TestKey;

beforeAll(async () => {
  gateway = await GatewayBed.start();
  // One connection, so that whatever a transaction leaves behind would be there for the next.
  database = await new DataSource({ type: 'postgres', url: gateway.bed.database.urls.gateway, schema: 'gateway', poolSize: 1 }).initialize();
  sql = new pg.Client({ connectionString: gateway.bed.database.adminUrl, options: '-c search_path=gateway' });
  await sql.connect();
  [mine, foreign] = [await recordedKey(), await recordedKey()];
});
afterAll(async () => {
  await sql.end();
  await database.destroy();
  await gateway.stop();
});

/** Of a workspace of its own, with the record of one request in it. */
async function recordedKey(): Promise<TestKey> {
  const key = gateway.newKey();
  const webhook = { url: 'https://example.com/hook', event_types: ['*'] };
  expect((await gateway.post('/api/v1/webhooks', webhook, { ...key.headers, 'idempotency-key': 'once' })).status).toBe(201);
  return key;
}

async function workspacesIn(tx: Pick<EntityManager, 'query'>): Promise<Set<string>> {
  const rows = await tx.query<{ workspace_id: string }[]>('SELECT workspace_id FROM idempotency_records');
  return new Set(rows.map(({ workspace_id }) => workspace_id));
}

test('records of another workspace are neither seen nor changed nor made, and without a scope there are none', async () => {
  expect(await inWorkspace(database, mine.workspaceId, workspacesIn)).toEqual(new Set([mine.workspaceId]));
  expect(await workspacesIn(database)).toEqual(new Set());
  expect(await acrossWorkspaces(database, workspacesIn)).toEqual(new Set([mine.workspaceId, foreign.workspaceId]));
  const [, changed] = await inWorkspace(database, mine.workspaceId, (tx) => tx.query<[unknown, number]>(`UPDATE idempotency_records SET body = 'seen'`));
  expect(changed).toBe(1);
  const moved = inWorkspace(database, mine.workspaceId, (tx) => tx.query(`UPDATE idempotency_records SET workspace_id = $1, key = 'moved'`, [foreign.workspaceId]));
  await expect(moved).rejects.toThrow('row-level security');
});

test('every table with rows of a workspace is secured, also against the role that owns it', async () => {
  expect(await tablesWithoutRowSecurity(sql, 'gateway')).toEqual(['migrations', 'rate_windows']);
});
