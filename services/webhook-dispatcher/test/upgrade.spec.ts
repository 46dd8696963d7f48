// What migrations make of a database that is in use already.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, tablesWithoutRowSecurity, type TestDatabase } from '@na/testing';
import pg from 'pg';
import { migrations } from '../src/database.js';
import { makePartitions } from '../src/deliveries/partitions.js';
import { GroupsBehindRowSecurity1796600000000 } from '../src/migrations/1796600000000-groups-behind-row-security.js';
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
