// The statements that write deliveries, beside each other.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newEvent } from '@na/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@na/testing';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { insertDeliveries, updateDeliveries } from '../src/deliveries/attempt-statements.js';
import { AttemptStore } from '../src/deliveries/attempt-store.js';
import type { AttemptedDelivery, DueDelivery } from '../src/deliveries/delivery.js';
import type { LoggedEvent } from '../src/deliveries/fan-out.js';
import { FanOutStore } from '../src/deliveries/fan-out-store.js';
import { makePartitions } from '../src/deliveries/partitions.js';
import { Unwritten } from '../src/deliveries/write-ahead.js';
import type { SecretBox } from '../src/endpoints/secret-box.js';
import { migratedDatabase } from './migrated-database.js';

const now = new Date('2026-06-10T12:00:00Z');
const cancelledAt = new Date('2026-06-10T12:00:01Z');

let own: TestDatabase;
let database: DataSource;
let other: pg.Client;
beforeAll(async () => {
  own = await createTestDatabase();
  database = await migratedDatabase(own);
  await makePartitions(database, now);
});
afterAll(async () => {
  await database.destroy();
  await own.drop();
});
beforeEach(async () => {
  other = new pg.Client({ connectionString: own.adminUrl, options: '-c search_path=webhook_dispatcher' });
  await other.connect();
  await other.query('BEGIN');
});
afterEach(() => other.end());

function due(name: string): DueDelivery {
  const message = newEvent({ type: 'page.created', workspaceId: 'ws_mine', createdAt: now, data: { pageId: 'page', url: 'https://example.com', title: 'A page' } });
  const event: LoggedEvent = { event: { ...message, id: `evt_${name}` }, eventAt: now, payload: Buffer.from('{}'), traceparent: null };
  const target = { endpointId: 'we_mine' } as DueDelivery['target'];
  const facts = { id: `dlv_${name}`, eventAt: now, workspaceId: 'ws_mine', eventId: `evt_${name}`, eventType: 'page.created', payload: event.payload, traceparent: null };
  return { ...facts, attempts: 0, maxAttempts: 1, attemptsBeforeRun: 0, takenAt: now, leasedUntil: now, target, unwritten: new Unwritten(event, () => undefined) };
}

function attempted(delivery: DueDelivery): AttemptedDelivery {
  const outcome = { kind: 'answered', status: 200, headers: {}, body: '', durationMs: 1, phases: {} } as const;
  return { delivery, attemptId: `att_${delivery.id}`, startedAt: now, endedAt: now, outcome, next: { kind: 'succeeded' } };
}

/** As another replica would, without an end. */
function insertElsewhere(id: string): Promise<unknown> {
  return other.query(
    `INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts, created_at)
     VALUES ($1, $2, 'ws_mine', 'we_mine', 'evt', 'page.created', 'pending', 0, 1, $2)`,
    [id, now],
  );
}

function untilSomeoneWaits(): Promise<void> {
  return eventually(async () => {
    const { rowCount } = await other.query(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
    expect(rowCount).toBe(1);
  });
}

/** Whoever writes it as pending and cancels it while it is being attempted, and what the row says afterwards. */
async function cancelElsewhere(delivery: DueDelivery, record: typeof insertDeliveries): Promise<object> {
  await insertPending([delivery]);
  await other.query(`UPDATE deliveries SET status = 'cancelled', due_at = NULL, leased_by = NULL, completed_at = $2 WHERE id = $1`, [delivery.id, cancelledAt]);
  await other.query('COMMIT');
  const failed: AttemptedDelivery = { ...attempted(delivery), next: { kind: 'retry', at: new Date(now.getTime() + 5_000) } };
  // Twice: one replica may repeat what another has recorded.
  for (let time = 0; time < 2; time++) await record(database.manager, [failed]);
  const { rows } = await other.query<object>(
    'SELECT status, attempts, response_code, last_attempt_at, next_attempt_at, due_at, leased_by, completed_at FROM deliveries WHERE id = $1',
    [delivery.id],
  );
  return rows[0]!;
}

const insertAttempted = (deliveries: DueDelivery[]) => insertDeliveries(database.manager, deliveries.map(attempted));
const insertPending = (deliveries: DueDelivery[]) =>
  new FanOutStore(database, {} as SecretBox, 1).insert(deliveries.map(({ unwritten }) => unwritten!.event), deliveries.map((delivery) => ({ ...delivery, leased: true })), now);

test.each([
  ['attempted', insertAttempted],
  ['pending', insertPending],
])('%s deliveries are inserted in one order, so that two who insert the same wait for each other instead of failing', async (name, insert) => {
  const [first, second] = [due(`${name}_a`), due(`${name}_b`)];
  await insertElsewhere(first.id);
  const inserted = insert([second, first]);
  await untilSomeoneWaits();
  await insertElsewhere(second.id);
  await other.query('COMMIT');
  await inserted;
});

test('what an earlier try has inserted is leased for as long as this one believes, and left alone where it is not to be leased', async () => {
  const delivery = due('lost_answer');
  await insertPending([delivery]);
  const [later, leasedUntil] = [1_000, 61_000].map((ms) => new Date(now.getTime() + ms)) as [Date, Date];
  const insertAgain = (leased: boolean) => new FanOutStore(database, {} as SecretBox, 1).insert([delivery.unwritten!.event], [{ ...delivery, leasedUntil, leased }], later);
  const lease = async () => (await other.query<object>('SELECT due_at, leased_by FROM deliveries WHERE id = $1', [delivery.id])).rows[0];
  expect(await insertAgain(false)).toEqual(new Set());
  expect(await lease()).toEqual({ due_at: now, leased_by: 1 });
  expect(await insertAgain(true)).toEqual(new Set([delivery.id]));
  expect(await lease()).toEqual({ due_at: leasedUntil, leased_by: 1 });
});

test('attempted deliveries are brought up to date in the same order', async () => {
  const [first, second] = [due('update_a'), due('update_b')];
  await insertPending([first, second]);
  const lock = ({ id }: DueDelivery) => other.query('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [id]);
  await lock(first);
  const updated = updateDeliveries(database.manager, [second, first].map(attempted));
  await untilSomeoneWaits();
  await lock(second);
  await other.query('COMMIT');
  await updated;
});

test.each([
  ['inserts', insertDeliveries],
  ['updates', updateDeliveries],
])('a delivery that was cancelled while it was attempted stays so and counts the attempt once, by the statement that %s', async (name, record) => {
  expect(await cancelElsewhere(due(`cancelled_${name}`), record)).toEqual({
    ...{ status: 'cancelled', attempts: 1, response_code: 200, last_attempt_at: now, completed_at: cancelledAt },
    ...{ next_attempt_at: null, due_at: null, leased_by: null },
  });
});

test('a failure whose recording is repeated, because only its answer was lost, is held against its endpoint once', async () => {
  const [lost, late] = [due('lost'), due('late')];
  await insertPending([lost, late]);
  const failed = [lost, late].map((delivery) => ({ ...attempted({ ...delivery, unwritten: undefined }), next: { kind: 'failed' } as const }));
  const counted: number[] = [];
  const health = {
    apply: async (_tx: unknown, byEndpoint: Map<string, unknown[]>) => {
      counted.push([...byEndpoint.values()].flat().length);
      return [];
    },
    committed: () => undefined,
  };
  const store = new AttemptStore(database, health);
  const kind = { isUnwritten: false, isSuccessful: false };
  await store.record(failed.slice(0, 1), kind, false);
  await store.record(failed, kind, true);
  expect(counted).toEqual([1, 1]);
});
