// What one look at the schedule takes, of which endpoints.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@na/testing';
import type { DataSource } from 'typeorm';
import { makePartitions } from '../src/deliveries/partitions.js';
import { ScheduleStore } from '../src/deliveries/schedule-store.js';
import type { SecretBox } from '../src/endpoints/secret-box.js';
import { migratedDatabase } from './migrated-database.js';

const now = new Date('2026-06-10T12:00:00Z');
const limit = 1_000;

let own: TestDatabase;
let database: DataSource;
let schedule: ScheduleStore;
beforeAll(async () => {
  own = await createTestDatabase();
  database = await migratedDatabase(own);
  await makePartitions(database, now);
  schedule = new ScheduleStore(database, {} as SecretBox, 1);
});
afterAll(async () => {
  await database.destroy();
  await own.drop();
});
beforeEach(() => database.query('TRUNCATE endpoints, events, deliveries'));

/** Endpoints with so many deliveries each, due for longer the lower their number is. */
async function endpointsWithDue(ids: string[], count: number): Promise<void> {
  await database.query(
    `INSERT INTO endpoints (id, workspace_id, url, description, event_types, retry_policy, timeout_ms, status, sealed_secret, created_at)
     SELECT id, 'ws', 'https://example.com', '', '{*}', '{}', 1000, 'enabled', '', $2 FROM unnest($1::text[]) AS id`,
    [ids, now],
  );
  await database.query(
    `WITH made AS (
       SELECT endpoint, endpoint || '_' || number AS name, number FROM unnest($1::text[]) AS endpoint, generate_series(1, $2::integer) AS number
     ), logged AS (
       INSERT INTO events (id, event_at, workspace_id, type, payload) SELECT 'evt_' || name, $3, 'ws', 'page.created', '{}' FROM made
     )
     INSERT INTO deliveries (id, event_id, event_at, workspace_id, endpoint_id, event_type, status, attempts, max_attempts, created_at, due_at)
     SELECT 'dlv_' || name, 'evt_' || name, $3, 'ws', endpoint, 'page.created', 'pending', 0, 12, $3, $3::timestamptz - interval '1 s' + number * interval '1 ms' FROM made`,
    [ids, count, now],
  );
  // Autovacuum, woken by the rows that were truncated, may have counted while these were not committed: none, on all these pages.
  await database.query('ANALYZE events, deliveries, endpoints');
}

async function claim(endpoints: { except?: string[]; onTrial?: string[] } = {}) {
  const { deliveries, hasMore } = await schedule.claimDue(now, limit, { except: [], onTrial: [], ...endpoints });
  const counts: Record<string, number> = {};
  for (const { target } of deliveries) counts[target.endpointId] = (counts[target.endpointId] ?? 0) + 1;
  return { counts, hasMore };
}

test('a backlog of some endpoints takes nothing from the share of others, whichever come first', async () => {
  await endpointsWithDue(['we_1', 'we_2', 'we_3', 'we_4', 'we_5'], 300);
  await endpointsWithDue(['we_6'], 2);
  expect(await claim()).toEqual({ counts: { we_1: 166, we_2: 166, we_3: 166, we_4: 166, we_5: 166, we_6: 2 }, hasMore: true });
});

test('of a single endpoint with a backlog no more is taken than others would wait for', async () => {
  await endpointsWithDue(['we_1'], 300);
  expect(await claim()).toEqual({ counts: { we_1: 250 }, hasMore: true });
  expect(await claim()).toEqual({ counts: { we_1: 50 }, hasMore: false });
});

test('with more endpoints than one look has places for, none is left out for good', async () => {
  await endpointsWithDue(Array.from({ length: 1_200 }, (_, index) => `we_${index}`), 12);
  const served = new Set<string>();
  for (let look = 0; look < 12; look++) {
    const { counts, hasMore } = await claim();
    expect(hasMore).toBe(true);
    Object.keys(counts).forEach((id) => served.add(id));
  }
  expect(served.size).toBe(1_200);
});

test('of an endpoint on trial one is taken, of one without room none, and neither is a reason to look again', async () => {
  await endpointsWithDue(['we_1', 'we_2'], 3);
  expect(await claim({ onTrial: ['we_1'], except: ['we_2'] })).toEqual({ counts: { we_1: 1 }, hasMore: false });
});
