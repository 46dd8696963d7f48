import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from '@jest/globals';
import { createTestDatabase, eventually, type TestDatabase } from '@na/testing';
import type { Logger } from '@na/service-host';
import { DataSource, type QueryRunner } from 'typeorm';
import { planPages } from '../src/deliveries/delivery-page.js';
import { makePartitions } from '../src/deliveries/partitions.js';
import { dropOldDays } from '../src/deliveries/retention.js';
import { migratedDatabase } from './migrated-database.js';

const lockNotAvailable = '55P03';
const now = new Date('2026-06-10T12:00:00Z');

let own: TestDatabase;
let database: DataSource;
let writer: QueryRunner;
beforeAll(async () => {
  own = await createTestDatabase();
  database = await migratedDatabase(own);
  await makePartitions(database, new Date('2026-05-01T00:00:00Z'));
  await makePartitions(database, now);
});
afterAll(async () => {
  await database.destroy();
  await own.drop();
});
beforeEach(async () => {
  writer = database.createQueryRunner();
  await writer.startTransaction();
});
afterEach(async () => {
  if (writer.isTransactionActive) await writer.rollbackTransaction();
  await writer.release();
});

function insertDelivery(by: QueryRunner | DataSource, id: string, eventAt: string): Promise<unknown> {
  return by.query(
    `INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts, created_at)
     VALUES ($1, $2, 'ws', 'we', 'evt', 'page.created', 'succeeded', 1, 1, $2)`,
    [id, eventAt],
  );
}

test('a drop that an open transaction is in the way of gives up, and other writers go on while it is still open', async () => {
  await insertDelivery(writer, 'open', '2026-06-10T10:00:00Z');
  const drop = dropOldDays(database, now, 30);
  const others = ['a', 'b', 'c'].map((id) => insertDelivery(database, id, '2026-06-10T11:00:00Z'));
  await expect(drop).rejects.toMatchObject({ cause: { code: lockNotAvailable } });
  await Promise.all(others);
  await writer.commitTransaction();
  expect(await dropOldDays(database, now, 30)).toContain('20260505');
});

test('a day that can not be locked keeps neither the other days nor what lies outside them', async () => {
  await makePartitions(database, new Date('2026-04-01T00:00:00Z'));
  await insertDelivery(database, 'old stray', '2020-01-01T10:00:00Z');
  await writer.query('SELECT FROM deliveries_20260402');
  await expect(dropOldDays(database, now, 30)).rejects.toMatchObject({ message: expect.stringMatching(/: 20260402$/), cause: { code: lockNotAvailable } });
  const left = await database.query<{ day: string }[]>(`SELECT relname AS day FROM pg_class WHERE relname ~ '^deliveries_202604\\d\\d$'`);
  expect(left).toEqual([{ day: 'deliveries_20260402' }]);
  expect(await database.query(`SELECT FROM deliveries WHERE id = 'old stray'`)).toEqual([]);
});

test('replicas that drop the same days at once do not fail, and each day is dropped by one of them', async () => {
  await makePartitions(database, new Date('2026-03-01T00:00:00Z'));
  const dropped = (await Promise.all([dropOldDays(database, now, 30), dropOldDays(database, now, 30)])).flat();
  expect(dropped.filter((day) => day === '20260301')).toHaveLength(1);
});

test('a day of which something was made due after it was looked at stays', async () => {
  await makePartitions(database, new Date('2026-02-01T00:00:00Z'));
  await database.query(
    `INSERT INTO endpoints (id, workspace_id, url, description, event_types, retry_policy, timeout_ms, status, sealed_secret, created_at)
     VALUES ('we', 'ws', 'https://example.com', '', '{*}', '{}', 1000, 'enabled', '', now())`,
  );
  // Of the oldest day, which is the first that is looked at.
  await insertDelivery(database, 'retried', '2026-01-31T10:00:00Z');
  await writer.query(`UPDATE deliveries SET due_at = now() WHERE id = 'retried'`);
  const drop = dropOldDays(database, now, 30);
  await eventually(async () => {
    const waiting = await database.query<object[]>(`SELECT FROM pg_locks WHERE relation = 'deliveries'::regclass AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
    expect(waiting).toHaveLength(1);
  });
  await writer.commitTransaction();
  // On a machine so slow that its wait for the lock was over before the commit, it has failed instead.
  await drop.catch((error: unknown) => expect(error).toMatchObject({ cause: { code: lockNotAvailable } }));
  expect(await database.query(`SELECT FROM deliveries WHERE id = 'retried'`)).toHaveLength(1);
});

test('days are made ahead while writers of other days have their transactions open', async () => {
  await insertDelivery(writer, 'busy', '2026-06-10T10:00:00Z');
  await makePartitions(database, new Date('2026-07-10T00:00:00Z'));
  await insertDelivery(database, 'july', '2026-07-12T10:00:00Z');
  const [row] = await database.query<{ place: string }[]>(`SELECT tableoid::regclass::text AS place FROM deliveries WHERE id = 'july'`);
  expect(row!.place).toBe('deliveries_20260712');
});

test('an open transaction in the default partition keeps a day from being made, not others from writing there', async () => {
  await insertDelivery(writer, 'stray', '2027-01-01T10:00:00Z');
  const made = makePartitions(database, new Date('2026-09-10T00:00:00Z'));
  await insertDelivery(database, 'another stray', '2027-01-01T11:00:00Z');
  await expect(made).rejects.toMatchObject({ errors: expect.arrayContaining([expect.objectContaining({ code: lockNotAvailable })]) });
  await writer.commitTransaction();
  await makePartitions(database, new Date('2026-09-10T00:00:00Z'));
});

test('a partition that is locked keeps nobody from starting: pages are planned when they are asked for', async () => {
  const warnings: string[] = [];
  const logger = { warn: (_: object, message: string) => warnings.push(message) } as unknown as Logger;
  const starting = await new DataSource({ type: 'postgres', url: own.urls['webhook-dispatcher'], poolSize: 2 }).initialize();
  await writer.query('LOCK TABLE deliveries_20260610 IN ACCESS EXCLUSIVE MODE');
  await planPages(starting, logger);
  expect(warnings).toEqual(['pages of deliveries could not be planned ahead']);
  await writer.rollbackTransaction();
  await planPages(starting, logger);
  expect(warnings).toHaveLength(1);
  await starting.destroy();
});
