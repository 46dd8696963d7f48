import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHost } from '@na/service-host';
import { createTestDatabase, TestClock, type TestDatabase } from '@na/testing';
import type { DataSource } from 'typeorm';
import { keepPartitions, makePartitions } from '../src/deliveries/partitions.js';
import { dropOldDays } from '../src/deliveries/retention.js';
import { migratedDatabase } from './migrated-database.js';

let own: TestDatabase;
let database: DataSource;
beforeAll(async () => {
  own = await createTestDatabase();
  database = await migratedDatabase(own);
});
afterAll(async () => {
  await database.destroy();
  await own.drop();
});

async function insertDelivery(id: string, eventAt: string, dueAt: string | null = null, endpointId = 'we'): Promise<void> {
  await database.query(
    `INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts, created_at, due_at)
     VALUES ($1, $2, 'ws', $5, $1, 'page.created', $3, 1, 1, $2, $4)`,
    [id, eventAt, dueAt ? 'retrying' : 'succeeded', dueAt, endpointId],
  );
}

async function insertEndpoint(id: string, state: 'enabled' | 'disabled' | 'deleted'): Promise<void> {
  await database.query(
    `INSERT INTO endpoints (id, workspace_id, url, description, event_types, retry_policy, timeout_ms, status, sealed_secret, created_at, deleted_at, disabled_at)
     VALUES ($1, 'ws', 'https://example.com', '', '{*}', '{}', 1000, $2, '', now(), $3, CASE $2 WHEN 'disabled' THEN now() END)`,
    [id, state === 'enabled' ? 'enabled' : 'disabled', state === 'deleted' ? new Date() : null],
  );
}

async function placeOf(id: string): Promise<string | undefined> {
  const [row] = await database.query<{ place: string }[]>('SELECT tableoid::regclass::text AS place FROM deliveries WHERE id = $1', [id]);
  return row?.place;
}

async function julyDays(): Promise<string[]> {
  const rows = await database.query<{ name: string }[]>(`SELECT relname AS name FROM pg_class WHERE relname ~ '^deliveries_202607..$' ORDER BY 1`);
  return rows.map(({ name }) => name.slice(-4));
}

test('rows that came before their day had a partition move into it when it is made', async () => {
  await insertDelivery('early', '2026-03-10T12:00:00Z');
  expect(await placeOf('early')).toBe('deliveries_default');
  await makePartitions(database, new Date('2026-03-10T00:00:00Z'));
  await insertDelivery('after', '2026-03-10T13:00:00Z');
  expect([await placeOf('early'), await placeOf('after')]).toEqual(['deliveries_20260310', 'deliveries_20260310']);
});

test('replicas that make the same partitions at once do not fail', async () => {
  await Promise.all(Array.from({ length: 4 }, () => makePartitions(database, new Date('2026-04-10T00:00:00Z'))));
  await insertDelivery('april', '2026-04-12T00:00:00Z');
  expect(await placeOf('april')).toBe('deliveries_20260412');
});

test('each hour days are made and dropped, and whoever has planned for them is told afterwards', async () => {
  const clock = new TestClock(new Date('2026-07-02T00:00:00Z'));
  const { host, close } = createHost('test', 'silent', clock);
  let told: (days: string[]) => void = () => undefined;
  const next = () => new Promise<string[]>((resolve) => (told = resolve));
  const atStart = next();
  await keepPartitions(database, host, 1, async () => told(await julyDays()));
  expect(await atStart).toEqual(['0701', '0702', '0703', '0704', '0705', '0706', '0707', '0708', '0709']);
  const later = next();
  clock.set(new Date('2026-07-04T12:00:00Z'));
  expect(await later).toEqual(['0703', '0704', '0705', '0706', '0707', '0708', '0709', '0710', '0711']);
  await close();
});

test('days past the retention are dropped, but not one with a delivery that is not finished', async () => {
  await makePartitions(database, new Date('2026-05-02T00:00:00Z'));
  await insertEndpoint('we', 'enabled');
  await insertDelivery('done', '2026-05-01T12:00:00Z');
  await insertDelivery('unfinished', '2026-05-02T12:00:00Z', '2026-07-01T00:00:00Z');
  const dropped = await dropOldDays(database, new Date('2026-06-01T12:00:00Z'), 30);
  expect(dropped).toContain('20260501');
  expect(dropped).not.toContain('20260502');
  expect(dropped).not.toContain('20260503');
  expect([await placeOf('done'), await placeOf('unfinished')]).toEqual([undefined, 'deliveries_20260502']);
});

test('what waits for a disabled or deleted endpoint keeps no day past the retention, wherever it lies', async () => {
  await makePartitions(database, new Date('2026-08-02T00:00:00Z'));
  for (const state of ['enabled', 'disabled', 'deleted'] as const) await insertEndpoint(`we_${state}`, state);
  await insertDelivery('of disabled', '2026-08-01T12:00:00Z', '2026-08-01T12:00:00Z', 'we_disabled');
  await insertDelivery('of deleted', '2026-08-02T12:00:00Z', '2026-08-02T12:00:00Z', 'we_deleted');
  await insertDelivery('disabled beside enabled', '2026-08-03T12:00:00Z', '2026-08-03T12:00:00Z', 'we_disabled');
  await insertDelivery('of enabled', '2026-08-03T12:00:00Z', '2026-08-03T12:00:00Z', 'we_enabled');
  await insertDelivery('stray of disabled', '2020-01-01T12:00:00Z', '2020-01-01T12:00:00Z', 'we_disabled');
  await insertDelivery('stray of enabled', '2020-01-01T12:00:00Z', '2020-01-01T12:00:00Z', 'we_enabled');
  for (const id of ['stray of disabled', 'stray of enabled']) {
    await database.query(`INSERT INTO events (id, event_at, workspace_id, type, payload) VALUES ($1, '2020-01-01T12:00:00Z', 'ws', 'page.created', '')`, [id]);
  }

  const dropped = await dropOldDays(database, new Date('2026-10-01T12:00:00Z'), 30);
  expect(dropped).toEqual(expect.arrayContaining(['20260801', '20260802']));
  expect(dropped).not.toContain('20260803');
  expect([await placeOf('disabled beside enabled'), await placeOf('of enabled')]).toEqual(['deliveries_20260803', 'deliveries_20260803']);
  expect([await placeOf('stray of disabled'), await placeOf('stray of enabled')]).toEqual([undefined, 'deliveries_default']);
  const events = await database.query<{ id: string }[]>(`SELECT id FROM events_default WHERE event_at < '2021-01-01' AND id LIKE 'stray%'`);
  expect(events.map(({ id }) => id)).toEqual(['stray of enabled']);
});
