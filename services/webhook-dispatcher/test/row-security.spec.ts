// What the database itself keeps apart: statements here leave the workspace out on purpose, as the service's own role.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { acrossWorkspaces, inWorkspace } from '@na/service-host';
import { answer, tablesWithoutRowSecurity, WebhookReceiver } from '@na/testing';
import { DataSource, type EntityManager } from 'typeorm';
import { bodiesOfPage, pageOfEndpoint, pageOfWorkspace, preparePages } from '../src/deliveries/delivery-page.js';
import { makePartitions } from '../src/deliveries/partitions.js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
let database: DataSource;
let mine: Owner;
let foreign: Owner;

interface Owner {
  workspaceId: string;
  endpointId: string;
  deliveryId: string;
}

const tables = ['endpoints', 'events', 'deliveries', 'attempts', 'replays', 'alerts', 'alert_queues'];

beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  receiver = await WebhookReceiver.start(answer(410));
  // One connection, so that whatever a transaction leaves behind would be there for the next.
  database = await new DataSource({ type: 'postgres', url: dispatcher.bed.database.urls['webhook-dispatcher'], poolSize: 1 }).initialize();
  [mine, foreign] = [await filledWorkspace(), await filledWorkspace()];
});
afterAll(async () => {
  await database.destroy();
  await receiver.stop();
  await dispatcher.stop();
});

/** Whoever answers 410 is disabled at once, and its owners are alerted. */
async function filledWorkspace(): Promise<Owner> {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'failed', 1);
  const now = dispatcher.bed.clock.now().getTime();
  const [since, until] = [timestampFromDate(new Date(now - 1_000)), timestampFromDate(new Date(now))];
  await dispatcher.replays.createReplay({ caller: { workspaceId }, endpointId, since, until, dryRun: true });
  return { workspaceId, endpointId, deliveryId: id };
}

/** Of attempts, which have no workspace of their own, the deliveries. */
async function ownersIn(tx: Pick<EntityManager, 'query'>, table: string): Promise<Set<string>> {
  const rows = await tx.query<{ owner: string }[]>(`SELECT ${ownerColumn(table)} AS owner FROM ${table}`);
  return new Set(rows.map(({ owner }) => owner));
}

const ownerColumn = (table: string) => (table.startsWith('attempts') ? 'delivery_id' : 'workspace_id');
const ownerOf = ({ workspaceId, deliveryId }: Owner, table: string) => (table.startsWith('attempts') ? deliveryId : workspaceId);

/** The partitions that have rows, each named itself. */
async function partitions(): Promise<string[]> {
  const of = (table: string) => `SELECT DISTINCT tableoid::regclass::text AS name FROM ${table}`;
  const { rows } = await dispatcher.sql.query<{ name: string }>(['events', 'deliveries', 'attempts'].map(of).join(' UNION '));
  expect(rows).toHaveLength(3);
  return rows.map(({ name }) => name);
}

test('a statement that forgets its filter sees the rows of its own workspace only, also in a partition that it names', async () => {
  for (const table of [...tables, ...(await partitions())]) {
    for (const owner of [mine, foreign]) {
      expect([table, await inWorkspace(database, owner.workspaceId, (tx) => ownersIn(tx, table))]).toEqual([table, new Set([ownerOf(owner, table)])]);
    }
  }
});

test('work across workspaces sees all of them, and without a scope nothing is seen', async () => {
  for (const table of [...tables, ...(await partitions())]) {
    const all = new Set([ownerOf(mine, table), ownerOf(foreign, table)]);
    expect([table, await ownersIn(database, table)]).toEqual([table, new Set()]);
    expect([table, await acrossWorkspaces(database, (tx) => ownersIn(tx, table))]).toEqual([table, all]);
    expect([table, await ownersIn(database, table)]).toEqual([table, new Set()]);
  }
});

test('nothing of another workspace is changed, and nothing given to it', async () => {
  for (const table of [...tables, ...(await partitions())]) {
    const attempt = (sql: string) => inWorkspace(database, mine.workspaceId, (tx) => tx.query(sql, [ownerOf(foreign, table)]));
    await expect(attempt(`UPDATE ${table} SET ${ownerColumn(table)} = $1`)).rejects.toThrow('row-level security');
    await expect(attempt(`DELETE FROM ${table} WHERE ${ownerColumn(table)} = $1`)).resolves.toEqual([[], 0]);
    await expect(database.query(`DELETE FROM ${table}`)).resolves.toEqual([[], 0]);
  }
});

test('nothing is written into another workspace: no event, and no attempt of its delivery', async () => {
  const attempt = (sql: string, owner: string) => inWorkspace(database, mine.workspaceId, (tx) => tx.query(sql, [owner]));
  const event = `INSERT INTO events (id, event_at, workspace_id, type, payload) SELECT id || 'x', event_at, $1, type, payload FROM events`;
  const logged = `INSERT INTO attempts (delivery_id, event_at, number, id, started_at, duration_ms, response_headers)
    SELECT $1, event_at, 2, id || 'x', started_at, duration_ms, response_headers FROM attempts LIMIT 1`;
  await expect(attempt(event, foreign.workspaceId)).rejects.toThrow('row-level security');
  await expect(attempt(logged, foreign.deliveryId)).rejects.toThrow('row-level security');
  await expect(attempt(event, mine.workspaceId)).resolves.toHaveLength(0);
  await expect(attempt(logged, mine.deliveryId)).resolves.toHaveLength(0);
});

test('every table is secured, also against the role that owns it and in each of its partitions, but those that are of no workspace', async () => {
  await makePartitions(database, new Date('2031-05-20T00:00:00Z'));
  const { rows } = await dispatcher.sql.query(`SELECT to_regclass('attempts_20310520') AS later`);
  expect(rows).toEqual([{ later: 'attempts_20310520' }]);
  expect(await tablesWithoutRowSecurity(dispatcher.sql, 'webhook_dispatcher')).toEqual(['migrations', 'outbox', 'outbox_failed']);
});

/** Its lines, planned for whatever values while the tables are nearly empty. */
async function genericPlan({ text }: { text: string }): Promise<string[]> {
  const plan = await inWorkspace(database, mine.workspaceId, async (tx) => {
    await tx.query(preparePages);
    return tx.query<Record<string, string>[]>(`EXPLAIN (GENERIC_PLAN) ${text}`);
  });
  return plan.map((line) => line['QUERY PLAN']!);
}

async function countPartitions(): Promise<number> {
  return (await dispatcher.sql.query(`SELECT FROM pg_inherits WHERE inhparent = 'deliveries'::regclass`)).rows.length;
}

test.each([
  ['a workspace', pageOfWorkspace],
  ['an endpoint', pageOfEndpoint],
])('the delivery table of %s is still walked along its index, group by group', async (_, page) => {
  const conditions = (await genericPlan(page)).filter((line) => line.includes('Index Cond') && line.includes('status'));
  const jumps = /_id = .* \(ROW\(status, event_type, GREATEST\(response_code, 0\)\) > ROW\(/;
  const ofOneGroup = /event_type = g.event_type\) AND \(GREATEST\(response_code, 0\) = g.response_code\)/;
  const partitions = await countPartitions();
  expect(conditions.filter((condition) => jumps.test(condition))).toHaveLength(partitions);
  expect(conditions.filter((condition) => ofOneGroup.test(condition))).toHaveLength(partitions);
});

test('the bodies of a page are looked up one by one', async () => {
  const plan = await genericPlan(bodiesOfPage);
  const ofOne = /Index Cond: \(\(delivery_id = latest.id\) AND \(number = latest.number\) AND .*\(event_at = latest.event_at\)\)$/;
  expect(plan.filter((line) => ofOne.test(line))).toHaveLength(await countPartitions());
  expect(plan.filter((line) => line.includes('Index Cond'))).toHaveLength(await countPartitions());
});
