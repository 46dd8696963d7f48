// What the database itself keeps apart: statements here leave the workspace out on purpose, as the service's own role.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { acrossWorkspaces, inWorkspace } from '@na/service-host';
import { tablesWithoutRowSecurity } from '@na/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { aHit, newWorkspace, send, startReportingBed, type ReportingBed } from './reporting-bed.js';

let reporting: ReportingBed;
let database: DataSource;
let mine: string;
let foreign: string;

/** A month of which nothing is known when the service starts. */
const later = timestampFromDate(new Date('2031-05-20T00:00:00Z'));
const tables = ['pages', 'goals', 'hits', 'conversions', 'hits_2031_05'];

beforeAll(async () => {
  reporting = await startReportingBed();
  // One connection, so that whatever a transaction leaves behind would be there for the next.
  database = await new DataSource({ type: 'postgres', url: reporting.config.databaseUrl, poolSize: 1 }).initialize();
  [mine, foreign] = [await filledWorkspace(), await filledWorkspace()];
});
afterAll(async () => {
  await database.destroy();
  await reporting.stop();
});

async function filledWorkspace(): Promise<string> {
  const { workspaceId, caller } = newWorkspace();
  await reporting.pages.createPage({ caller, url: 'https://a.site/', title: 'A' });
  await reporting.goals.createGoal({ caller, name: 'Sign-up', eventName: 'signup' });
  await send(reporting, aHit(workspaceId, { occurredAt: later, receivedAt: later }));
  await reporting.bed.nextEvent('goal.converted', workspaceId);
  return workspaceId;
}

async function workspacesIn(tx: Pick<EntityManager, 'query'>, table: string): Promise<Set<string>> {
  const rows = await tx.query<{ workspace_id: string }[]>(`SELECT workspace_id FROM ${table}`);
  return new Set(rows.map(({ workspace_id }) => workspace_id));
}

test.each(tables)('a statement on %s that forgets its filter sees the rows of its own workspace only', async (table) => {
  expect(await inWorkspace(database, mine, (tx) => workspacesIn(tx, table))).toEqual(new Set([mine]));
  expect(await inWorkspace(database, foreign, (tx) => workspacesIn(tx, table))).toEqual(new Set([foreign]));
});

test.each(tables)('work across workspaces sees all of %s, and without a scope nothing is seen', async (table) => {
  expect(await workspacesIn(database, table)).toEqual(new Set());
  expect(await acrossWorkspaces(database, (tx) => workspacesIn(tx, table))).toEqual(new Set([mine, foreign]));
  expect(await workspacesIn(database, table)).toEqual(new Set());
});

test.each(tables)('nothing of another workspace is changed in %s, and nothing given to it', async (table) => {
  const attempt = (sql: string) => inWorkspace(database, mine, (tx) => tx.query(sql, [foreign]));
  await expect(attempt(`UPDATE ${table} SET workspace_id = $1`)).rejects.toThrow('row-level security');
  await expect(attempt(`DELETE FROM ${table} WHERE workspace_id = $1`)).resolves.toEqual([[], 0]);
  await expect(database.query(`DELETE FROM ${table}`)).resolves.toEqual([[], 0]);
});

test('nothing is written into another workspace', async () => {
  const copy = `INSERT INTO goals SELECT $1, id || 'x', name, event_name, page_id, value, created_at FROM goals`;
  await expect(inWorkspace(database, mine, (tx) => tx.query(copy, [foreign]))).rejects.toThrow('row-level security');
  await expect(inWorkspace(database, mine, (tx) => tx.query(copy, [mine]))).resolves.toHaveLength(0);
});

test('every table is secured, also against the role that owns it and in each of its partitions, but those that are of no workspace', async () => {
  expect(await tablesWithoutRowSecurity(reporting.sql, 'reporting')).toEqual(['migrations', 'outbox', 'outbox_failed']);
});
