// Deliveries that wait in a replica's memory when they, or their endpoint, are not wanted any more. Two replicas share them.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { answer, eventually, WebhookReceiver } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  await dispatcher.startDispatcher();
});
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

const published = 40;

/** More than both replicas may attempt at the same time (10 each), at an endpoint that answers when it is told to. */
async function waitingInMemory() {
  const held: ServerResponse[] = [];
  receiver.behave((response) => void held.push(response));
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await Promise.all(Array.from({ length: published }, () => dispatcher.publish(dispatcher.pageCreated(workspaceId))));
  await receiver.received(10);
  // With a lease, each is in the memory of a replica.
  await eventually(async () => expect((await leased(endpointId)).length).toBe(published));
  const attempted = new Set(receiver.requests.map(({ headers }) => headers['x-webhook-delivery']));
  const waiting = (await leased(endpointId)).filter((id) => !attempted.has(id));
  expect(waiting.length).toBeGreaterThanOrEqual(published - 20);
  const release = () => {
    receiver.behave(answer(200));
    for (const response of held.splice(0)) response.end();
  };
  return { workspaceId, endpointId, waiting, release };
}

async function leased(endpointId: string): Promise<string[]> {
  const { rows } = await dispatcher.sql.query<{ id: string }>('SELECT id FROM deliveries WHERE endpoint_id = $1 AND leased_by IS NOT NULL', [endpointId]);
  return rows.map(({ id }) => id);
}

const wasAttempted = (id: string) => receiver.requests.some(({ headers }) => headers['x-webhook-delivery'] === id);

/** Resolves when nothing of the workspace will be attempted any more without a change. */
async function untilAtRest(workspaceId: string): Promise<Record<string, number>> {
  return eventually(async () => {
    const counts: Record<string, number> = {};
    for (const { status } of await dispatcher.list(workspaceId)) counts[status] = (counts[status] ?? 0) + 1;
    if (counts['pending']) throw new Error(`${counts['pending']} are pending`);
    return counts;
  });
}

test('a delivery that waits in a replica is not attempted once its cancellation was answered, whichever replica answered', async () => {
  const { workspaceId, waiting, release } = await waitingInMemory();
  for (const id of waiting) await dispatcher.deliveries.cancelDelivery({ caller: { workspaceId }, id });
  release();
  expect(await untilAtRest(workspaceId)).toEqual({ cancelled: waiting.length, succeeded: published - waiting.length });
  expect(waiting.filter(wasAttempted)).toEqual([]);
});

test('a delivery that waited in a replica when it was cancelled can be retried at once, one that was in flight when it has ended', async () => {
  const { workspaceId, endpointId, waiting, release } = await waitingInMemory();
  const inFlight = (await leased(endpointId)).filter((id) => !waiting.includes(id));
  for (const id of [...waiting, ...inFlight]) await dispatcher.deliveries.cancelDelivery({ caller: { workspaceId }, id });
  const retry = (id: string) => dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id });
  for (const id of inFlight) await expect(retry(id)).rejects.toMatchObject({ code: 'conflict' });
  await Promise.all(waiting.map(retry));
  release();
  for (const id of inFlight) await eventually(() => retry(id));
  await eventually(async () => expect(await untilAtRest(workspaceId)).toEqual({ succeeded: published }));
  const attempts = receiver.requests.map(({ headers }) => `${headers['x-webhook-attempt']} ${headers['x-webhook-delivery']}`);
  expect(attempts.sort()).toEqual([...[...waiting, ...inFlight].map((id) => `1 ${id}`), ...inFlight.map((id) => `2 ${id}`)].sort());
});

test('a delivery that waits in a replica can be retried, whichever replica answers, and is attempted once', async () => {
  const { workspaceId, waiting, release } = await waitingInMemory();
  for (const id of waiting) {
    const { delivery } = await dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id });
    expect(delivery).toMatchObject({ attempts: 0, maxAttempts: 12 });
  }
  release();
  expect(await untilAtRest(workspaceId)).toEqual({ succeeded: published });
  const attempted = receiver.requests.map(({ headers }) => headers['x-webhook-delivery']);
  expect(attempted.toSorted()).toEqual((await dispatcher.list(workspaceId)).map(({ id }) => id).sort());
});

test('people who retry and cancel the same waiting deliveries at once, whichever replica answers, get each attempted once', async () => {
  const { workspaceId, endpointId, waiting, release } = await waitingInMemory();
  const retry = (id: string, retryId?: string) => dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id, retryId });
  const cancel = (id: string) => dispatcher.deliveries.cancelDelivery({ caller: { workspaceId }, id });
  const conflicts = await Promise.all(
    waiting.flatMap((id) => [retry(id), retry(id, `same ${id}`), cancel(id), retry(id, `same ${id}`), retry(id)].map((done) => done.then(() => undefined, (error: { code: string }) => error.code))),
  );
  expect(new Set(conflicts)).toEqual(new Set([undefined, 'conflict']));
  release();
  await eventually(async () => expect(await leased(endpointId)).toEqual([]));
  await eventually(async () => expect((await dispatcher.list(workspaceId)).filter(({ status }) => status !== 'succeeded' && status !== 'cancelled')).toEqual([]));
  const attempts = receiver.requests.map(({ headers }) => `${headers['x-webhook-attempt']} ${headers['x-webhook-delivery']}`);
  expect(attempts.toSorted()).toEqual([...new Set(attempts)].sort());
});

test('what waits for a webhook is not attempted once its deletion was answered, and is cancelled', async () => {
  const { workspaceId, endpointId, waiting, release } = await waitingInMemory();
  await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id: endpointId });
  release();
  expect(await untilAtRest(workspaceId)).toEqual({ cancelled: published });
  const logged = async () => Number((await dispatcher.sql.query('SELECT count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE d.endpoint_id = $1', [endpointId])).rows[0].count);
  await eventually(async () => expect(await logged()).toBe(published - waiting.length));
  expect(waiting.filter(wasAttempted)).toEqual([]);
});

test('what waits for a webhook is not attempted once it was disabled, and is once it is enabled again', async () => {
  const { workspaceId, endpointId, waiting, release } = await waitingInMemory();
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id: endpointId });
  release();
  await eventually(async () => expect(await leased(endpointId)).toEqual([]));
  expect(waiting.filter(wasAttempted)).toEqual([]);
  await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id: endpointId });
  expect(await untilAtRest(workspaceId)).toEqual({ succeeded: published });
  expect(waiting.every(wasAttempted)).toBe(true);
});

test('what waits for a webhook goes to its new address once that was answered', async () => {
  const { workspaceId, endpointId, waiting, release } = await waitingInMemory();
  await dispatcher.endpoints.updateEndpoint({ caller: { workspaceId }, id: endpointId, settings: { url: `${receiver.url}/moved` }, fields: ['url'] });
  release();
  await untilAtRest(workspaceId);
  const movedTo = receiver.requests.filter(({ path }) => path === '/hook/moved').map(({ headers }) => headers['x-webhook-delivery']);
  expect(movedTo.sort()).toEqual(waiting.sort());
});

test('a delivery that was written while its webhook was being deleted is cancelled within a minute', async () => {
  receiver.behave(answer(500));
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id: endpointId });
  await dispatcher.sql.query(`UPDATE deliveries SET status = 'retrying', due_at = $2, next_attempt_at = $2, completed_at = NULL WHERE id = $1`, [id, dispatcher.bed.clock.now()]);
  dispatcher.bed.clock.advance(60_000);
  await dispatcher.deliveryIn(workspaceId, 'cancelled', 1);
});

test('a backlog of a deleted webhook is cancelled in steps that lock no more than 1,000 deliveries, and nothing of it is attempted', async () => {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id: endpointId });
  const now = dispatcher.bed.clock.now();
  await dispatcher.sql.query(
    `WITH e AS (INSERT INTO events (id, event_at, workspace_id, type, payload) VALUES ('evt_' || $1, $3, $1, 'page.created', ''))
     INSERT INTO deliveries (id, event_at, workspace_id, endpoint_id, event_id, event_type, status, attempts, max_attempts, created_at, due_at)
     SELECT $2 || n, $3, $1, $2, 'evt_' || $1, 'page.created', 'pending', 0, 12, $3, $3 FROM generate_series(1, 4500) n`,
    [workspaceId, endpointId, now],
  );
  await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id: endpointId });
  const steps = async () => {
    const { rows } = await dispatcher.sql.query<{ status: string; count: number }>(
      'SELECT status, count(*)::integer AS count FROM deliveries WHERE endpoint_id = $1 GROUP BY status, xmin ORDER BY count DESC',
      [endpointId],
    );
    return rows;
  };
  await eventually(async () => expect((await steps()).filter(({ status }) => status !== 'cancelled')).toEqual([]));
  const sizes = (await steps()).map(({ count }) => count);
  expect(sizes.slice(0, 3)).toEqual([1000, 1000, 1000]);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(4500);
  expect(receiver.requests).toEqual([]);
});
