// What the database itself keeps apart: statements here leave the workspace out on purpose, as the service's own role.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acrossWorkspaces, inWorkspace, openAcrossWorkspaces } from '@na/service-host';
import { tablesWithoutRowSecurity } from '@na/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { KeyManagementBed } from './key-management.bed.js';

let service: KeyManagementBed;
let database: DataSource;
let mine: string;
let foreign: string;

const tables = ['workspaces', 'keys', 'audit_log'];
const databaseUrl = () => service.bed.database.urls['key-management'];

beforeAll(async () => {
  service = await KeyManagementBed.start();
  // One connection, so that whatever a transaction leaves behind would be there for the next.
  database = await new DataSource({ type: 'postgres', url: databaseUrl(), poolSize: 1 }).initialize();
  [mine, foreign] = [await service.newWorkspace(), await service.newWorkspace()];
  for (const workspaceId of [mine, foreign]) await service.newKey(workspaceId);
});
afterAll(async () => {
  await database.destroy();
  await service.stop();
});

async function workspacesIn(tx: Pick<EntityManager, 'query'>, table: string): Promise<Set<string>> {
  const rows = await tx.query<{ workspace: string }[]>(`SELECT ${table === 'workspaces' ? 'id' : 'workspace_id'} AS workspace FROM ${table}`);
  return new Set(rows.map(({ workspace }) => workspace));
}

test('a statement that forgets its filter sees the rows of its own workspace only', async () => {
  for (const table of tables) {
    expect(await inWorkspace(database, mine, (tx) => workspacesIn(tx, table))).toEqual(new Set([mine]));
    expect(await inWorkspace(database, foreign, (tx) => workspacesIn(tx, table))).toEqual(new Set([foreign]));
  }
});

test('work across workspaces sees all of them', async () => {
  for (const table of tables) expect(await acrossWorkspaces(database, (tx) => workspacesIn(tx, table))).toEqual(new Set([mine, foreign]));
});

test('without a scope nothing is seen, on a fresh connection and on one that had a scope before', async () => {
  for (const table of tables) {
    expect(await workspacesIn(database, table)).toEqual(new Set());
    await inWorkspace(database, mine, (tx) => workspacesIn(tx, table));
    await acrossWorkspaces(database, (tx) => workspacesIn(tx, table));
    expect(await workspacesIn(database, table)).toEqual(new Set());
    expect(await database.transaction((tx) => workspacesIn(tx, table))).toEqual(new Set());
  }
});

test('nothing is written into another workspace', async () => {
  const copy = `
    INSERT INTO audit_log SELECT $1, id || 'x', created_at, actor, address, request_id, action, target, before, after FROM audit_log LIMIT 1`;
  const attempt = (sql: string) => inWorkspace(database, mine, (tx) => tx.query(sql, [foreign]));
  await expect(attempt(copy)).rejects.toThrow('row-level security');
  await expect(attempt('UPDATE audit_log SET workspace_id = $1')).rejects.toThrow('row-level security');
  await expect(attempt(`UPDATE workspaces SET name = 'Mine' WHERE id = $1`)).resolves.toEqual([[], 0]);
  await expect(attempt('DELETE FROM keys WHERE workspace_id = $1')).resolves.toEqual([[], 0]);
  await expect(database.query('UPDATE keys SET version = 9')).resolves.toEqual([[], 0]);
});

test('work that fails is undone, and leaves the connection as it was', async () => {
  const failing = inWorkspace(database, mine, async (tx) => {
    await tx.query(`UPDATE workspaces SET name = 'Changed'`);
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  const names = await inWorkspace(database, mine, (tx) => tx.query<unknown[]>('SELECT name FROM workspaces'));
  expect(names).toEqual([{ name: 'Acme' }]);
  expect(await workspacesIn(database, 'keys')).toEqual(new Set());
});

test.each(['', '*', `ws_1'; SET na.workspace_id = '*`, 'ws 1', 'ws_1\n', 'x'.repeat(65)])('%j is no workspace to work in', async (id) => {
  await expect(inWorkspace(database, id, (tx) => workspacesIn(tx, 'keys'))).rejects.toThrow('must name its workspace');
});

test('a pool that is opened for work across workspaces sees all of them without a transaction, and can be narrowed', async () => {
  const host = service.bed.host('key-management');
  const everywhere = await openAcrossWorkspaces({ databaseUrl: databaseUrl(), databasePoolSize: 1, schema: 'key_management', entities: [], migrations: [] }, host);
  expect(await workspacesIn(everywhere, 'keys')).toEqual(new Set([mine, foreign]));
  expect(await inWorkspace(everywhere, mine, (tx) => workspacesIn(tx, 'keys'))).toEqual(new Set([mine]));
  expect(await workspacesIn(everywhere, 'keys')).toEqual(new Set([mine, foreign]));
  await host.stop();
});

test('every table with rows of a workspace is secured, also against the role that owns it', async () => {
  expect(await tablesWithoutRowSecurity(service.sql, 'key_management')).toEqual(['gateway_leases', 'migrations', 'outbox', 'outbox_failed']);
});

test('a list in a workspace still goes by the index', async () => {
  const plan = await inWorkspace(database, mine, async (tx) => {
    await tx.query('SET LOCAL enable_seqscan = off');
    const page = 'SELECT * FROM keys WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT 10';
    return tx.query<Record<string, string>[]>(`EXPLAIN ${page}`, [mine, 'key_0']);
  });
  expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Index Cond: .*workspace_id = .* AND \(id > /);
});
