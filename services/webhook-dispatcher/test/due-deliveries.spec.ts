import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { eventually, WebhookReceiver } from '@na/testing';
import { deliveryId } from '../src/deliveries/ids.js';
import { DispatcherBed } from './dispatcher-bed.js';

const endpoints = 8;
const perEndpoint = 50;

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  await dispatcher.startDispatcher();
  receiver = await WebhookReceiver.start();
});
afterEach(() => dispatcher.sql.query('ROLLBACK'));
afterAll(async () => {
  await receiver.stop();
  await dispatcher.stop();
});

/** Deliveries of an endpoint as a first attempt that failed has left them. @param at when their events happened @returns their ids */
async function retryAt(dueAt: Date, count: number, at = dispatcher.bed.clock.now()): Promise<string[]> {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  const events = Array.from({ length: count }, () => dispatcher.pageCreated(workspaceId).id);
  const ids = events.map((event) => deliveryId(event, endpointId, at));
  await dispatcher.sql.query(
    `WITH logged AS (
       INSERT INTO events (id, event_at, workspace_id, type, payload)
       SELECT event, $3, $4, 'page.created', '{}' FROM unnest($2::text[]) AS event
     )
     INSERT INTO deliveries
       (id, event_id, event_at, workspace_id, endpoint_id, event_type, status, attempts, max_attempts, response_code, created_at, next_attempt_at, due_at)
     SELECT id, event, $3, $4, $5, 'page.created', 'retrying', 1, 12, 500, $3, $6, $6 FROM unnest($1::text[], $2::text[]) AS made (id, event)`,
    [ids, events, at, workspaceId, endpointId, dueAt],
  );
  return ids;
}

function untilSucceeded(ids: string[]): Promise<void> {
  return eventually(async () => {
    const { rows } = await dispatcher.sql.query<{ count: number }>(
      `SELECT count(*)::integer AS count FROM deliveries WHERE id = ANY($1) AND status = 'succeeded' AND attempts = 2`,
      [ids],
    );
    expect(rows[0]!.count).toBe(ids.length);
  }, 25_000);
}

test('a retry is found on whatever day its event was: today, ahead, and years outside all partitions', async () => {
  const dayMs = 86_400_000;
  const now = dispatcher.bed.clock.now().getTime();
  const dueAt = new Date(now + 10_000);
  const ids: string[] = [];
  for (const days of [-2_000, -300, 0, 3, 100]) ids.push(...(await retryAt(dueAt, 2, new Date(now + days * dayMs))));
  dispatcher.bed.clock.set(dueAt);
  await untilSucceeded(ids);
});

test('a retry that somebody has locked holds up no other, of its own endpoint or of another', async () => {
  const dueAt = new Date(dispatcher.bed.clock.now().getTime() + 10_000);
  const [locked, ...others] = [...(await retryAt(dueAt, 3)), ...(await retryAt(dueAt, 3))];
  await dispatcher.sql.query('BEGIN');
  await dispatcher.sql.query('SELECT FROM deliveries WHERE id = $1 FOR UPDATE', [locked]);
  dispatcher.bed.clock.set(dueAt);
  await untilSucceeded(others);
});

test('of hundreds of retries that two dispatchers find due at the same moment each is made exactly once', async () => {
  const dueAt = new Date(dispatcher.bed.clock.now().getTime() + 60_000);
  const ids: string[] = [];
  for (let i = 0; i < endpoints; i++) ids.push(...(await retryAt(dueAt, perEndpoint)));
  dispatcher.bed.clock.set(dueAt);
  await untilSucceeded(ids);
  // In an orderly stop everything ends that either of them has taken: what was taken twice has been sent by now.
  await dispatcher.stopDispatchers();
  const sent = receiver.requests.map(({ headers }) => headers['x-webhook-delivery'] as string);
  expect(sent.filter((id) => ids.includes(id)).sort()).toEqual(ids.sort());
});
