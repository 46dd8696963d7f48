import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventData } from '@na/contracts';
import { Publisher } from '@na/messaging';
import { OutboxRelay } from '@na/outbox';
import { typeid } from 'typeid-js';
import type { EntityManager } from 'typeorm';
import { applyOutcomes } from '../src/health/health-store.js';
import { AlertsBed, policy } from './alerts-bed.js';

let bed: AlertsBed;
let relay: OutboxRelay;
beforeAll(async () => {
  bed = await AlertsBed.start();
  relay = OutboxRelay.start(bed.database, new Publisher(bed.bed.bus), bed.bed.host('webhook-dispatcher'));
});
afterAll(() => bed.stop());

async function workspaceOf(id: string): Promise<string> {
  const rows = await bed.database.query<{ workspace_id: string }[]>('SELECT workspace_id FROM endpoints WHERE id = $1', [id]);
  return rows[0]!.workspace_id;
}

async function alertsAbout(id: string): Promise<string[]> {
  const rows = await bed.database.query<{ kind: string }[]>('SELECT kind FROM alerts WHERE endpoint_id = $1 ORDER BY id', [id]);
  return rows.map(({ kind }) => kind);
}

test('a failure is counted and a success clears it', async () => {
  const id = await bed.createEndpoint();
  await bed.apply(id, bed.failure(), bed.failure());
  expect(await bed.health(id)).toMatchObject({ status: 'enabled', failing_since: bed.now, failed_attempts: 2, warnings: 0 });
  await bed.apply(id, bed.success());
  expect(await bed.health(id)).toMatchObject({ status: 'enabled', failing_since: null, failed_attempts: 0 });
  expect(await alertsAbout(id)).toEqual([]);
});

test('a success of a healthy endpoint neither writes its row nor waits for its lock', async () => {
  const id = await bed.createEndpoint();
  const version = async () => (await bed.database.query<{ xmin: string; xmax: string }[]>('SELECT xmin, xmax FROM endpoints WHERE id = $1', [id]))[0];
  const before = await version();
  expect(await bed.apply(id, bed.success())).toEqual([]);
  expect(await version()).toEqual(before);
  await bed.database.transaction(async (other) => {
    await other.query('SELECT FROM endpoints WHERE id = $1 FOR UPDATE', [id]);
    await bed.apply(id, bed.success());
  });
});

test('warning, disabling and their causes are published and queued in the transaction that records them', async () => {
  const id = await bed.createEndpoint();
  const workspaceId = await workspaceOf(id);
  await bed.warn(id);
  relay.wake();
  const failing = await bed.bed.nextEvent('webhook.endpoint.failing', workspaceId);
  expect(eventData(failing)).toEqual({
    endpoint_id: id,
    url: 'https://api.example.com',
    failing_since: bed.hoursAgo(30).toISOString(),
    failed_attempts: 2,
    response_code: 503,
    error: null,
    disabled_at_earliest: bed.hoursAgo(30 - 72).toISOString(),
  });

  await bed.apply(id, bed.failure(new Date(bed.now.getTime() + policy.disableAfterMs)));
  const reason = `No attempt has succeeded since ${bed.hoursAgo(30).toISOString()}; 3 failed.`;
  expect(await bed.health(id)).toMatchObject({ status: 'disabled', disabled_at: bed.now, disabled_reason: reason });
  relay.wake();
  const disabled = await bed.bed.nextEvent('webhook.endpoint.disabled', workspaceId);
  expect(eventData(disabled)).toEqual({ endpoint_id: id, url: 'https://api.example.com', reason, disabled_at: bed.now.toISOString() });
  expect(await alertsAbout(id)).toEqual(['failing', 'disabled']);
});

test('410 disables at once', async () => {
  const id = await bed.createEndpoint();
  await bed.apply(id, bed.gone());
  expect(await bed.health(id)).toMatchObject({ status: 'disabled', disabled_reason: 'The endpoint answered 410 Gone.' });
});

test.each([
  ['at an address of before', { url: 'https://api.example.com/before' }],
  ['that began before it was enabled', { at: new Date(0) }],
])('what came of an attempt %s is not held against an endpoint', async (_, outcome) => {
  const id = await bed.createEndpoint({ enabledAt: bed.hoursAgo(1) });
  const pausedUntil = bed.hoursAgo(-1);
  await bed.apply(id, { ...bed.failure(), pausedUntil, ...outcome }, { ...bed.gone(), ...outcome });
  expect(await bed.health(id)).toMatchObject({ status: 'enabled', failed_attempts: 0, paused_until: null });
});

test('the recovery of a warned endpoint is published', async () => {
  const id = await bed.createEndpoint();
  await bed.warn(id);
  await bed.apply(id, bed.success());
  relay.wake();
  const event = await bed.bed.nextEvent('webhook.endpoint.recovered', await workspaceOf(id));
  expect(eventData(event)).toMatchObject({ endpoint_id: id, failing_since: bed.hoursAgo(30).toISOString(), recovered_at: bed.now.toISOString() });
  expect(await alertsAbout(id)).toEqual(['failing', 'recovered']);
});

test('the recovery of an endpoint that was enabled after its disabling is published once', async () => {
  const id = await bed.createEndpoint({ toldSince: bed.hoursAgo(80), failedBefore: 25 });
  await bed.apply(id, bed.success());
  await bed.apply(id, bed.success());
  relay.wake();
  const event = await bed.bed.nextEvent('webhook.endpoint.recovered', await workspaceOf(id));
  expect(eventData(event)).toMatchObject({ endpoint_id: id, failing_since: bed.hoursAgo(80).toISOString() });
  expect(await alertsAbout(id)).toEqual(['recovered']);
});

test('a success on a disabled or deleted endpoint changes nothing', async () => {
  const disabled = await bed.createEndpoint({ status: 'disabled', disabledAt: bed.now, failingSince: bed.hoursAgo(80), failedAttempts: 9, warnings: 2 });
  const deleted = await bed.createEndpoint({ deletedAt: bed.now, failingSince: bed.hoursAgo(80), failedAttempts: 9, warnings: 2 });
  for (const id of [disabled, deleted]) {
    const before = await bed.health(id);
    expect(await bed.apply(id, bed.success())).toEqual([]);
    expect(await bed.health(id)).toEqual(before);
  }
});

test('when the attempts are rolled back, so is everything that followed from them', async () => {
  const id = await bed.createEndpoint();
  const failed = bed.database.transaction(async (tx) => {
    await bed.applyIn(tx, id, bed.gone());
    throw new Error('the attempts could not be recorded');
  });
  await expect(failed).rejects.toThrow('could not be recorded');
  expect(await bed.health(id)).toMatchObject({ status: 'enabled', failed_attempts: 0 });
  expect(await alertsAbout(id)).toEqual([]);
});

test.each([
  ['a failure waits for the success before it', 'success', 'failure', { failed_attempts: 1, warnings: 0 }],
  ['a success waits for the failure before it', 'failure', 'success', { failed_attempts: 0, warnings: 0, failing_since: null }],
] as const)('of two replicas with opposite outcomes %s, and neither is lost', async (_name, first, second, expected) => {
  const id = await bed.createEndpoint({ failingSince: bed.hoursAgo(40), failedAttempts: 8, warnings: 1, toldSince: bed.hoursAgo(40) });
  let waiting: Promise<unknown> | undefined;
  await bed.database.transaction(async (tx) => {
    await bed.applyIn(tx, id, bed[first]());
    waiting = bed.apply(id, bed[second]());
    await bed.someoneWaits();
  });
  await waiting;
  expect(await bed.health(id)).toMatchObject(expected);
  expect((await alertsAbout(id)).filter((kind) => kind === 'recovered')).toEqual(['recovered']);
});

test('failures recorded at the same time are all counted, and warned of once', async () => {
  const id = await bed.createEndpoint({ failingSince: bed.hoursAgo(30) });
  await Promise.all(Array.from({ length: 20 }, () => bed.apply(id, bed.failure())));
  expect(await bed.health(id)).toMatchObject({ failed_attempts: 20, warnings: 1 });
  expect(await alertsAbout(id)).toEqual(['failing']);
});

test('endpoints are locked in the order of their ids, so that replicas never wait for each other in a circle', async () => {
  const [low, high] = Array.from({ length: 2 }, () => typeid('we').toString()).sort() as [string, string];
  // The other way round in the table, which is the order that PostgreSQL would take by itself.
  for (const id of [high, low]) await bed.createEndpoint({ id });
  const lock = (tx: EntityManager, id: string, wait = '') => tx.query(`SELECT FROM endpoints WHERE id = $1 FOR UPDATE ${wait}`, [id]);
  const outcomes = new Map([high, low].map((id) => [id, [bed.failure()]]));
  let recording: Promise<unknown> | undefined;
  await bed.database.transaction(async (tx) => {
    await lock(tx, low);
    recording = bed.database.transaction((other) => applyOutcomes(other, outcomes, bed.now, policy));
    await bed.someoneWaits();
    await lock(tx, high, 'NOWAIT');
  });
  await recording;
  for (const id of [low, high]) expect(await bed.health(id)).toMatchObject({ failed_attempts: 1 });
});

test('replicas that record the same many endpoints at once lose nothing', async () => {
  const workspaceId = 'ws_same';
  const ids = await Promise.all(Array.from({ length: 20 }, () => bed.createEndpoint({ workspaceId })));
  const record = (order: string[]) => bed.database.transaction((tx) => applyOutcomes(tx, new Map(order.map((id) => [id, [bed.failure()]])), bed.now, policy));
  await Promise.all(Array.from({ length: 10 }, (_, round) => record(round % 2 ? [...ids].reverse() : ids)));
  for (const id of ids) expect(await bed.health(id)).toMatchObject({ failed_attempts: 10 });
});
