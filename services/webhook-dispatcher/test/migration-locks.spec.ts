// A migration beside others who use the tables that it changes.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHost, openDatabase, systemClock, type Clock } from '@na/service-host';
import { createTestDatabase, type TestDatabase } from '@na/testing';
import type { DataSource } from 'typeorm';
import { migrations } from '../src/database.js';
import { RunsOfThePolicy1797200000000 } from '../src/migrations/1797200000000-runs-of-the-policy.js';
import { migratedDatabase } from './migrated-database.js';

let own: TestDatabase;
let old: DataSource;
/** As it was before a migration that changes deliveries. */
beforeEach(async () => {
  own = await createTestDatabase();
  old = await migratedDatabase(own, migrations.slice(0, migrations.indexOf(RunsOfThePolicy1797200000000)));
});
afterEach(async () => {
  await old.destroy();
  await own.drop();
});

test('while somebody holds a table the migration gives way to those who come after, and is made once the table is free', async () => {
  const reader = old.createQueryRunner();
  await reader.startTransaction();
  await reader.query('SELECT FROM deliveries');
  const givenWay = Promise.withResolvers<void>();
  const readerIsDone = Promise.withResolvers<void>();
  const clock: Clock = { ...systemClock, wait: () => (givenWay.resolve(), readerIsDone.promise) };
  const { host, close } = createHost('test', 'silent', clock);
  const databaseUrl = own.urls['webhook-dispatcher'];
  const opened = openDatabase({ databaseUrl, databasePoolSize: 1, schema: 'webhook_dispatcher', entities: [], migrations }, host);

  await givenWay.promise;
  expect(await old.query('SELECT FROM deliveries')).toEqual([]);
  await reader.rollbackTransaction();
  await reader.release();
  readerIsDone.resolve();
  const database = await opened;
  expect(await database.showMigrations()).toBe(false);
  await close();
});
