// What migrations make of a database that is in use already.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, tablesWithoutRowSecurity, type TestDatabase } from '@na/testing';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { migrations } from '../src/database.js';
import { makePartitions } from '../src/deliveries/partitions.js';
import { GroupsBehindRowSecurity1796600000000 } from '../src/migrations/1796600000000-groups-behind-row-security.js';
import { AttemptsOfCancelled1797100000000 } from '../src/migrations/1797100000000-attempts-of-cancelled.js';
import { migratedDatabase } from './migrated-database.js';

let own: TestDatabase;
let sql: pg.Client;
beforeAll(async () => {
  own = await createTestDatabase();
  sql = new pg.Client({ connectionString: own.adminUrl, options: '-c search_path=webhook_dispatcher' });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await own.drop();
});

const before = migrations.slice(0, migrations.indexOf(GroupsBehindRowSecurity1796600000000));

/** Of the table and its partitions. */
async function indexesBy(expression: string): Promise<{ table: string; valid: boolean }[]> {
  const { rows } = await sql.query<{ table: string; valid: boolean }>(
    `SELECT indrelid::regclass::text AS "table", indisvalid AS valid FROM pg_index
     WHERE indrelid::regclass::text LIKE 'deliveries%' AND pg_get_indexdef(indexrelid) LIKE $1 ORDER BY 1`,
    [`%${expression}(response_code, 0)%`],
  );
  return rows;
}

test('days that were there already are secured with their tables, and have the indexes of the groups, however often that is begun', async () => {
  const old = await migratedDatabase(own, before);
  await makePartitions(old, new Date('2026-03-10T00:00:00Z'));
  const replaced = await indexesBy('COALESCE');
  // As an interrupted start leaves it: the index of the table, and that of one day.
  const columns = '(workspace_id, status, event_type, (GREATEST(response_code, 0)), event_at DESC)';
  await old.query(`CREATE INDEX deliveries_of_workspace_by_group ON ONLY deliveries ${columns}`);
  await old.query(`CREATE INDEX one_day ON deliveries_20260310 ${columns}`);
  await old.query('ALTER INDEX deliveries_of_workspace_by_group ATTACH PARTITION one_day');
  await old.destroy();

  const now = await migratedDatabase(own);
  expect(await tablesWithoutRowSecurity(sql, 'webhook_dispatcher')).toEqual(['migrations', 'outbox', 'outbox_failed']);
  expect(await indexesBy('GREATEST')).toEqual(replaced.map(({ table }) => ({ table, valid: true })));
  expect(await indexesBy('COALESCE')).toEqual([]);
  await now.destroy();
});

test('what was migrated can be undone', async () => {
  const now = await migratedDatabase(own);
  for (let left = migrations.length; left > before.length; left--) await now.undoLastMigration({ transaction: 'each' });
  expect(await tablesWithoutRowSecurity(sql, 'webhook_dispatcher')).toEqual(expect.arrayContaining(['attempts', 'deliveries', 'deliveries_20260310', 'endpoints']));
  expect([await indexesBy('GREATEST'), (await indexesBy('COALESCE')).every(({ valid }) => valid)]).toEqual([[], true]);
  await now.destroy();
});

test('an attempt that was in flight when its delivery was cancelled is counted, in every workspace, and nothing else is', async () => {
  const uncounted = migrations.slice(0, migrations.indexOf(AttemptsOfCancelled1797100000000));
  const old = await migratedDatabase(own, uncounted);
  const at = new Date('2026-03-10T12:00:00Z');
  const logs = { dlv_a: ['ws_a', 'cancelled', 0, 1], dlv_b: ['ws_b', 'cancelled', 1, 2], dlv_c: ['ws_a', 'cancelled', 1, 1], dlv_d: ['ws_a', 'cancelled', 0, 0], dlv_e: ['ws_b', 'pending', 0, 1] };
  for (const [id, [workspaceId, status, attempts, logged]] of Object.entries(logs)) {
    await sql.query(
      `INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts, created_at)
       VALUES ($1, $2, $3, 'we', 'evt', 'page.created', $4, $5, 12, $2)`,
      [id, at, workspaceId, status, attempts],
    );
    await sql.query(
      `INSERT INTO attempts (delivery_id, event_at, number, id, started_at, duration_ms, response_code, response_headers)
       SELECT $1, $2, number, 'att', $2, 1, 200 + number, '{}' FROM generate_series(1, $3::integer) AS number`,
      [id, at, logged],
    );
  }
  // As a starting service has it: without a workspace.
  const now = await new DataSource({ type: 'postgres', url: own.urls['webhook-dispatcher'], schema: 'webhook_dispatcher', migrations }).initialize();
  await now.runMigrations({ transaction: 'each' });
  const { rows } = await sql.query<{ row: string }>(`SELECT concat_ws(' ', id, status, attempts, response_code, last_attempt_at IS NOT NULL) AS row FROM deliveries ORDER BY id`);
  expect(rows.map(({ row }) => row)).toEqual([
    'dlv_a cancelled 1 201 t',
    'dlv_b cancelled 2 202 t',
    'dlv_c cancelled 1 f',
    'dlv_d cancelled 0 f',
    'dlv_e pending 0 f',
  ]);
  await Promise.all([now.destroy(), old.destroy()]);
});
