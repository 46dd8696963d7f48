import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { answer, eventually, hang, inTurn, WebhookReceiver } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

test('an event is delivered with both signatures over the exact body, and recorded', async () => {
  const { workspaceId, endpointId, secret } = await dispatcher.createEndpoint(receiver.url);
  const event = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(event);

  const [request] = await receiver.received(1);
  const { headers, body } = request!;
  expect(JSON.parse(body.toString())).toMatchObject({ id: event.id, type: 'page.created', workspace_id: workspaceId, data: { title: 'A page' } });
  expect(headers['x-webhook-signature']).toBe(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const standard = createHmac('sha256', key).update(`${event.id}.${headers['webhook-timestamp']}.${body.toString()}`).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${standard}`);

  const delivery = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  expect(delivery).toMatchObject({ endpointId, eventId: event.id, eventType: 'page.created', responseCode: 200, finalStatus: 'succeeded' });
  expect(headers).toMatchObject({ 'webhook-id': event.id, 'x-webhook-delivery': delivery.id, 'x-webhook-attempt': '1', 'x-webhook-event': 'page.created' });
});

test('a receiver that answers 503 twice gets the same event a third time, on the backoff schedule', async () => {
  receiver.behave(inTurn(answer(503), answer(503), answer(200, 'thanks')));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  const event = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(event);

  for (const [attempts, seconds] of [[1, 5], [2, 20]] as const) {
    const retrying = await dispatcher.deliveryIn(workspaceId, 'retrying', attempts);
    const waitMs = timestampDate(retrying.nextRetryAt!).getTime() - timestampDate(retrying.lastAttemptAt!).getTime();
    expect(waitMs).toBeGreaterThanOrEqual(seconds * 800);
    expect(waitMs).toBeLessThanOrEqual(seconds * 1_200);
    dispatcher.moveTo(retrying, 1);
    expect(receiver.requests).toHaveLength(attempts);
    dispatcher.moveTo(retrying);
    await receiver.received(attempts + 1);
  }
  const delivery = await dispatcher.deliveryIn(workspaceId, 'succeeded', 3);
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([event.id]));
  expect(new Set(receiver.requests.map(({ body }) => body.toString())).size).toBe(1);
  const { attemptLog } = await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id: delivery.id });
  expect(attemptLog.map(({ number, responseCode, responseBody }) => [number, responseCode, responseBody])).toEqual([[1, 503, ''], [2, 503, ''], [3, 200, 'thanks']]);
});

test('after the last attempt of the policy a delivery has failed and is left alone', async () => {
  receiver.behave(answer(500, 'no'));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url, { maxAttempts: 1 });
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await dispatcher.deliveryIn(workspaceId, 'failed', 1)).toMatchObject({ finalStatus: 'failed', responseBody: 'no' });
});

test('an event that arrives again is not delivered again', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  const event = dispatcher.pageCreated(workspaceId);
  await Promise.all(['a', 'b', 'c'].map((messageId) => dispatcher.publish(event, messageId)));
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await dispatcher.publish(event, 'd');
  const later = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(later);
  const requests = await receiver.until((all) => all.some(({ headers }) => headers['webhook-id'] === later.id));
  expect(requests.filter(({ headers }) => headers['webhook-id'] === event.id)).toHaveLength(1);
  await dispatcher.untilListed(workspaceId, 2);
});

test('each endpoint gets the events it asked for, and a workspace only its own', async () => {
  const pages = await dispatcher.createEndpoint(`${receiver.url}/pages`, { eventTypes: ['page.*'] });
  const goals = await dispatcher.createEndpoint(`${receiver.url}/goals`, { eventTypes: ['goal.converted'], workspaceId: pages.workspaceId });
  const foreign = await dispatcher.createEndpoint(`${receiver.url}/foreign`);
  await dispatcher.publish(dispatcher.pageCreated(pages.workspaceId));
  await dispatcher.deliveryIn(pages.workspaceId, 'succeeded', 1);
  expect(receiver.requests.map(({ path }) => path)).toEqual(['/hook/pages']);
  expect((await dispatcher.list(goals.workspaceId)).map(({ endpointId }) => endpointId)).toEqual([pages.endpointId]);
  expect(await dispatcher.list(foreign.workspaceId)).toEqual([]);
});

test('a server that is not there is an attempt with the reason', async () => {
  const { workspaceId } = await dispatcher.createEndpoint('http://127.0.0.1:1/');
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 1)).toMatchObject({ error: 'connection_refused' });
});

/** What is recorded of the times of a delivery's only attempt. */
async function timesOf(workspaceId: string, status: string) {
  const { id } = await dispatcher.deliveryIn(workspaceId, status, 1);
  const { attemptLog } = await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id });
  const { queuedMs, connectedMs, headMs, durationMs } = attemptLog[0]!;
  return { queuedMs, connectedMs, headMs, durationMs };
}

test('an attempt tells when it was connected and when it was answered, in this order', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { queuedMs, connectedMs, headMs, durationMs } = await timesOf(workspaceId, 'succeeded');
  expect(queuedMs).toBe(0);
  const inOrder = [0, connectedMs!, headMs!, durationMs];
  expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
});

test('an attempt tells nothing of what it did not come to: no answer, or not even a connection', async () => {
  receiver.behave(hang);
  const unanswered = await dispatcher.createEndpoint(receiver.url, { timeoutMs: 500 });
  const refused = await dispatcher.createEndpoint('http://127.0.0.1:1/');
  for (const { workspaceId } of [unanswered, refused]) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await timesOf(unanswered.workspaceId, 'retrying')).toMatchObject({ queuedMs: 0, connectedMs: expect.any(Number), headMs: undefined });
  expect(await timesOf(refused.workspaceId, 'retrying')).toMatchObject({ queuedMs: 0, connectedMs: undefined, headMs: undefined });
});

test('an attempt tells how long it waited for its turn', async () => {
  const open = Promise.withResolvers<void>();
  receiver.behave(inTurn((...request) => void open.promise.then(() => answer(200)(...request)), answer(200)));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url, { maxInFlight: 1 });
  for (let i = 0; i < 2; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.untilListed(workspaceId, 2);
  dispatcher.bed.clock.advance(3_000);
  open.resolve();
  const deliveries = await eventually(async () => {
    const all = await dispatcher.list(workspaceId);
    expect(all.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    return all;
  });
  const details = await Promise.all(deliveries.map(({ id }) => dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id })));
  expect(details.map(({ attemptLog }) => attemptLog[0]!.queuedMs).toSorted()).toEqual([0, 3_000]);
});

test('the delivery of another workspace looks like one that does not exist', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  const read = (caller: string, wanted: string) => dispatcher.deliveries.getDelivery({ caller: { workspaceId: caller }, id: wanted });
  await expect(read('ws_other', id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(read(workspaceId, 'dlv_nonsense')).rejects.toMatchObject({ code: 'not_found' });
});

test('a request that names no workspace is refused, and a list is never longer than its bound', async () => {
  await expect(dispatcher.deliveries.listDeliveries({ limit: 10 })).rejects.toMatchObject({ code: 'workspace_required' });
  await expect(dispatcher.endpoints.listEndpoints({ caller: { workspaceId: '' }, limit: 10 })).rejects.toMatchObject({ code: 'workspace_required' });
  expect((await dispatcher.deliveries.listDeliveries({ caller: { workspaceId: 'ws_none' }, limit: 4_000_000_000 })).deliveries).toEqual([]);
});

test('the secret is not in the database in clear', async () => {
  const { secret, endpointId } = await dispatcher.createEndpoint(receiver.url);
  const { rows } = await dispatcher.sql.query<{ sealed_secret: Buffer }>('SELECT sealed_secret FROM endpoints WHERE id = $1', [endpointId]);
  expect(rows[0]!.sealed_secret.toString('latin1')).not.toContain(secret.slice(6, 20));
});
