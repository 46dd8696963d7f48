import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { Logger } from '@na/service-host';
import type { ServerResponse } from 'node:http';
import { DataSource } from 'typeorm';
import { answer, eventually, inTurn, WebhookReceiver, type ReceivedRequest } from '@na/testing';
import { failuresToOpen } from '../src/deliveries/breaker.js';
import { leaseMs } from '../src/deliveries/fan-out.js';
import { ByHand } from '../src/deliveries/by-hand.js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

const retry = (workspaceId: string, id: string) => dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id });
const cancel = (workspaceId: string, id: string) => dispatcher.deliveries.cancelDelivery({ caller: { workspaceId }, id });
const attemptsOf = async (workspaceId: string, id: string) => (await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id })).attemptLog;
const header = (name: string) => (request: ReceivedRequest) => request.headers[name];

/** A delivery in the state that the receiver's first answer leads to. */
async function deliveryAfter(firstStatus: number, { maxAttempts = 12 } = {}) {
  receiver.behave(answer(firstStatus));
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url, { maxAttempts });
  const event = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(event);
  const state = firstStatus === 200 ? 'succeeded' : maxAttempts === 1 ? 'failed' : 'retrying';
  return { workspaceId, endpointId, event, delivery: await dispatcher.deliveryIn(workspaceId, state, 1) };
}

/** Lets the receiver take requests without answering them until the test does. */
function holdAnswers() {
  const held: ServerResponse[] = [];
  receiver.behave((response) => void held.push(response));
  return (status: number) => held.splice(0).forEach((response) => void response.writeHead(status).end());
}

/** Comes through after everything that was due before it. */
async function somethingElseIsDelivered(): Promise<void> {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  receiver.behave(answer(200));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await retry(workspaceId, id);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
}

test('a delivery that succeeded is sent again under the same webhook-id when it is retried by hand', async () => {
  const { workspaceId, event, delivery } = await deliveryAfter(200);
  expect((await retry(workspaceId, delivery.id)).delivery).toMatchObject({ id: delivery.id, maxAttempts: 13 });
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
  expect(receiver.requests.map(header('webhook-id'))).toEqual([event.id, event.id]);
  expect(receiver.requests.map(header('x-webhook-attempt'))).toEqual(['1', '2']);
  expect(await attemptsOf(workspaceId, delivery.id)).toHaveLength(2);
});

test('a delivery that failed for good gets one more attempt, and has failed again if that fails', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500, { maxAttempts: 1 });
  await retry(workspaceId, delivery.id);
  expect(await dispatcher.deliveryIn(workspaceId, 'failed', 2)).toMatchObject({ maxAttempts: 2, finalStatus: 'failed' });
  receiver.behave(answer(200));
  await retry(workspaceId, delivery.id);
  expect(await dispatcher.deliveryIn(workspaceId, 'succeeded', 3)).toMatchObject({ maxAttempts: 3 });
});

test('attempts by hand are made besides those of the policy, and the next wait is as long as it would have been without them', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500, { maxAttempts: 3 });
  for (const attempts of [2, 3, 4]) {
    await retry(workspaceId, delivery.id);
    const after = await dispatcher.deliveryIn(workspaceId, 'retrying', attempts);
    const waitMs = timestampDate(after.nextRetryAt!).getTime() - timestampDate(after.lastAttemptAt!).getTime();
    expect(after.maxAttempts).toBe(attempts + 2);
    expect(Math.abs(waitMs - 5_000)).toBeLessThanOrEqual(1_000);
  }
  dispatcher.moveTo(await dispatcher.deliveryIn(workspaceId, 'retrying', 4));
  dispatcher.moveTo(await dispatcher.deliveryIn(workspaceId, 'retrying', 5));
  await dispatcher.deliveryIn(workspaceId, 'failed', 6);
});

test('a retry is made at once, before what waits and although the endpoint is left alone because it fails', async () => {
  receiver.behave(answer(500));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  for (let i = 0; i < failuresToOpen; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await eventually(async () => expect((await dispatcher.list(workspaceId)).filter(({ attempts }) => attempts === 1)).toHaveLength(failuresToOpen));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.untilListed(workspaceId, failuresToOpen + 1);
  receiver.behave(answer(200));
  const { id } = (await dispatcher.list(workspaceId)).find(({ status }) => status === 'retrying')!;
  await retry(workspaceId, id);
  await receiver.received(failuresToOpen + 2);
  expect(header('x-webhook-delivery')(receiver.requests[failuresToOpen]!)).toBe(id);
});

test('many are made at once, fail as they may, and what is mended by then is seen by a test delivery', async () => {
  receiver.behave(answer(500));
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  for (let i = 0; i < failuresToOpen; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const failing = await eventually(async () => {
    const listed = await dispatcher.list(workspaceId);
    expect(listed.filter(({ status }) => status === 'retrying')).toHaveLength(failuresToOpen);
    return listed;
  });
  await Promise.all(failing.map((delivery) => retry(workspaceId, delivery.id)));
  await receiver.received(2 * failuresToOpen);
  await eventually(async () => expect((await dispatcher.list(workspaceId)).filter(({ attempts }) => attempts === 2)).toHaveLength(failuresToOpen));
  receiver.behave(answer(200));
  await dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'webhook.test' });
  await receiver.received(2 * failuresToOpen + 1);
  expect(header('x-webhook-event')(receiver.requests.at(-1)!)).toBe('webhook.test');
});

test('a retry does not wait for the backoff', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500);
  receiver.behave(answer(200));
  await retry(workspaceId, delivery.id);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
});

test('what waits in memory for its turn goes before the others when it is retried, without an attempt more', async () => {
  const release = holdAnswers();
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url, { maxInFlight: 1 });
  for (let i = 0; i < 4; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(1);
  await dispatcher.untilListed(workspaceId, 4);
  const leased = async () => (await dispatcher.sql.query('SELECT FROM deliveries WHERE endpoint_id = $1 AND leased_by IS NOT NULL', [endpointId])).rowCount;
  await eventually(async () => expect(await leased()).toBe(4));
  const inFlight = header('x-webhook-delivery')(receiver.requests[0]!);
  const [last] = (await dispatcher.list(workspaceId)).filter(({ id }) => id !== inFlight);
  expect((await retry(workspaceId, last!.id)).delivery).toMatchObject({ attempts: 0, maxAttempts: last!.maxAttempts });
  await expect(retry(workspaceId, inFlight as string)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('under way') });
  release(200);
  await receiver.received(2);
  expect(header('x-webhook-delivery')(receiver.requests[1]!)).toBe(last!.id);
});

test('retrying and cancelling again and again without an attempt between buys one attempt, and the next retry after that another', async () => {
  const { workspaceId, endpointId, delivery } = await deliveryAfter(500, { maxAttempts: 5 });
  dispatcher.moveTo(delivery);
  dispatcher.moveTo(await dispatcher.deliveryIn(workspaceId, 'retrying', 2));
  await dispatcher.deliveryIn(workspaceId, 'retrying', 3);
  const pauseUntil = (time: number | null) => dispatcher.sql.query('UPDATE endpoints SET paused_until = $2 WHERE id = $1', [endpointId, time && new Date(time)]);
  await pauseUntil(dispatcher.bed.clock.now().getTime() + 60_000);
  for (let i = 0; i < 5; i++) {
    await retry(workspaceId, delivery.id);
    await cancel(workspaceId, delivery.id);
  }
  expect(await dispatcher.deliveryIn(workspaceId, 'cancelled', 3)).toMatchObject({ maxAttempts: 6 });
  await pauseUntil(null);
  await retry(workspaceId, delivery.id);
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 4)).toMatchObject({ maxAttempts: 6 });
  await retry(workspaceId, delivery.id);
  expect(await dispatcher.deliveryIn(workspaceId, 'retrying', 5)).toMatchObject({ maxAttempts: 7 });
});

/** A delivery that another replica has leased, retried by one whose question to that replica is answered by the test. */
async function retryOfLeased(answers: ((database: DataSource, free: (assignment?: string) => Promise<unknown>) => Promise<boolean>)[]) {
  const { workspaceId, delivery } = await deliveryAfter(500);
  const lease = (replica: number | null, assignment = 'retry_id = retry_id') =>
    dispatcher.sql.query(`UPDATE deliveries SET leased_by = $2, due_at = $3, ${assignment} WHERE id = $1`, [delivery.id, replica, new Date(dispatcher.bed.clock.now().getTime() + leaseMs)]);
  await lease(99);
  const database = await new DataSource({ type: 'postgres', url: dispatcher.bed.database.urls['webhook-dispatcher'], poolSize: 1 }).initialize();
  const [asked, attempted, warnings]: [number[], string[], string[]] = [[], [], []];
  const hurry = async (replica: number) => answers[asked.push(replica) - 1]!(database, (assignment) => lease(null, assignment));
  const logger = { warn: (_: object, message: string) => warnings.push(message) } as unknown as Logger;
  const byHand = new ByHand(database, dispatcher.bed.clock, { hurry, tell: async () => undefined }, async (id) => void attempted.push(id), logger);
  const refusal = await byHand.retry(workspaceId, delivery.id, 'retry').catch((error: unknown) => error);
  if (database.isInitialized) await database.destroy();
  return { refusal, asked, isAttempted: attempted.length > 0, warnings };
}
const [no, yes] = [async () => false, async () => true];

test('what a replica gives back and another leases is asked for once more, and then refused', async () => {
  expect(await retryOfLeased([no, async (_, free) => free().then(no)])).toMatchObject({ refusal: undefined, asked: [99, 99], isAttempted: true });
  expect(await retryOfLeased([no, yes])).toMatchObject({ refusal: undefined, asked: [99, 99], isAttempted: false });
  expect(await retryOfLeased([no, no])).toMatchObject({ refusal: { code: 'conflict' }, asked: [99, 99], isAttempted: false });
});

test.each([
  ['attempted', "attempts = attempts + 1, status = 'succeeded'"],
  ['attempted in vain', 'attempts = attempts + 1'],
  ['cancelled', "status = 'cancelled'"],
])('what was %s while a replica was asked is not attempted for that retry besides', async (_name, change) => {
  const { refusal, isAttempted } = await retryOfLeased([async (_, free) => free(change).then(no)]);
  expect([refusal, isAttempted]).toMatchObject([{ code: 'conflict', message: expect.stringContaining('at the same moment') }, false]);
});

test('a retry that can not be noted after the replica has hurried is one all the same', async () => {
  const { refusal, warnings } = await retryOfLeased([(database) => database.destroy().then(yes)]);
  expect([refusal, warnings]).toEqual([undefined, [expect.stringContaining('could not be noted')]]);
});

test('retries by hand that race with each other and with the schedule make one attempt', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500);
  const release = holdAnswers();
  const refusals: object[] = [];
  const person = async () => {
    for (let i = 0; i < 10; i++) await retry(workspaceId, delivery.id).catch((refusal: object) => refusals.push(refusal));
  };
  const people = Promise.all([person(), person(), person(), person()]);
  dispatcher.moveTo(delivery);
  await people;
  expect(refusals.length).toBeGreaterThan(0);
  for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'conflict', message: expect.stringContaining('under way') });
  await receiver.received(2);
  release(200);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
  await somethingElseIsDelivered();
  expect(receiver.requests.filter(({ headers }) => headers['x-webhook-delivery'] === delivery.id)).toHaveLength(2);
});

test('while an attempt is under way a retry is a conflict', async () => {
  const release = holdAnswers();
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(1);
  const [delivery] = await dispatcher.untilListed(workspaceId, 1);
  await expect(retry(workspaceId, delivery!.id)).rejects.toMatchObject({ code: 'conflict' });
  release(200);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
});

test('a delivery to a disabled webhook can not be retried, and says what to do', async () => {
  const { workspaceId, endpointId, delivery } = await deliveryAfter(200);
  await dispatcher.sql.query(`UPDATE endpoints SET status = 'disabled', disabled_at = now() WHERE id = $1`, [endpointId]);
  await expect(retry(workspaceId, delivery.id)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('Enable it first') });
  expect(await dispatcher.deliveryIn(workspaceId, 'succeeded', 1)).toMatchObject({ id: delivery.id });
});

test('a delivery that is cancelled is not attempted when its time comes', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500);
  const cancelled = (await cancel(workspaceId, delivery.id)).delivery!;
  expect(cancelled).toMatchObject({ status: 'cancelled', finalStatus: 'cancelled', attempts: 1 });
  expect(cancelled.nextRetryAt).toBeUndefined();
  dispatcher.moveTo(delivery, -1);
  await somethingElseIsDelivered();
  expect(receiver.requests.filter(({ headers }) => headers['x-webhook-delivery'] === delivery.id)).toHaveLength(1);
  expect(await dispatcher.deliveryIn(workspaceId, 'cancelled', 1)).toMatchObject({ id: delivery.id });
});

test('an attempt in flight when its delivery is cancelled ends, is logged and counted, and leaves it cancelled', async () => {
  const release = holdAnswers();
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(1);
  const { id } = (await dispatcher.untilListed(workspaceId, 1))[0]!;
  const cancelled = (await cancel(workspaceId, id)).delivery!;
  await expect(retry(workspaceId, id)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('under way') });
  release(200);
  await eventually(async () => expect(await attemptsOf(workspaceId, id)).toMatchObject([{ number: 1, responseCode: 200 }]));
  const after = (await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id })).delivery!;
  expect(after).toMatchObject({ status: 'cancelled', attempts: 1, responseCode: 200, lastAttemptAt: expect.anything(), completedAt: cancelled.completedAt });
  expect(after.nextRetryAt).toBeUndefined();

  receiver.behave(answer(200));
  await retry(workspaceId, id);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
  expect((await attemptsOf(workspaceId, id)).map(({ number }) => number)).toEqual([1, 2]);
});

test('what was cancelled under an attempt that nobody knows the end of can be retried when its lease is over', async () => {
  const { workspaceId, delivery: { id } } = await deliveryAfter(500);
  const cancelled = (await cancel(workspaceId, id)).delivery!;
  await dispatcher.sql.query('UPDATE deliveries SET leased_by = 0 WHERE id = $1', [id]);
  dispatcher.bed.clock.advance(timestampDate(cancelled.completedAt!).getTime() + leaseMs - 1 - dispatcher.bed.clock.now().getTime());
  await expect(retry(workspaceId, id)).rejects.toMatchObject({ code: 'conflict' });
  dispatcher.bed.clock.advance(1);
  receiver.behave(answer(200));
  await retry(workspaceId, id);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
});

test('an attempt that fails after its delivery was cancelled plans no other', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500);
  const release = holdAnswers();
  dispatcher.moveTo(delivery);
  await receiver.received(2);
  await cancel(workspaceId, delivery.id);
  release(503);
  const after = await dispatcher.deliveryIn(workspaceId, 'cancelled', 2);
  expect(after).toMatchObject({ responseCode: 503, finalStatus: 'cancelled' });
  expect(after.nextRetryAt).toBeUndefined();
  dispatcher.bed.clock.advance(86_400_000);
  await somethingElseIsDelivered();
  expect(receiver.requests.filter(({ headers }) => headers['x-webhook-delivery'] === delivery.id)).toHaveLength(2);
});

test('cancelling what is final is a conflict that says what it is', async () => {
  const succeeded = await deliveryAfter(200);
  await expect(cancel(succeeded.workspaceId, succeeded.delivery.id)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('succeeded') });
  const { workspaceId, delivery } = await deliveryAfter(500);
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => cancel(workspaceId, delivery.id)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect(cancel(workspaceId, delivery.id)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('cancelled') });
});

test('cancelling that races with the schedule ends in one of two ways, each with a log that fits', async () => {
  const { workspaceId, delivery } = await deliveryAfter(500);
  receiver.behave(inTurn(answer(500), answer(200)));
  dispatcher.moveTo(delivery);
  const cancelled = await cancel(workspaceId, delivery.id).then(() => true, () => false);
  await somethingElseIsDelivered();
  const [after] = await dispatcher.list(workspaceId);
  expect(after).toMatchObject(cancelled ? { status: 'cancelled' } : { status: 'succeeded', attempts: 2 });
  expect(await attemptsOf(workspaceId, delivery.id)).toHaveLength(after!.attempts);
});

test('the deliveries of another workspace can be neither retried nor cancelled, and look like none', async () => {
  const { delivery } = await deliveryAfter(500);
  for (const act of [retry, cancel]) {
    await expect(act('ws_other', delivery.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(act(delivery.workspaceId, 'dlv_nonsense')).rejects.toMatchObject({ code: 'not_found' });
  }
  expect(await dispatcher.list(delivery.workspaceId)).toMatchObject([{ status: 'retrying', attempts: 1 }]);
});

test('a retry that is tried again is the same retry, also while its attempt is under way; another one is a conflict', async () => {
  const { workspaceId, delivery: { id } } = await deliveryAfter(200);
  const release = holdAnswers();
  const retryAs = (retryId: string) => dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id, retryId });
  await retryAs('retry_1');
  await receiver.received(2);
  expect((await retryAs('retry_1')).delivery).toMatchObject({ id, status: 'retrying' });
  await expect(retryAs('retry_2')).rejects.toMatchObject({ code: 'conflict' });
  release(200);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
  expect((await retryAs('retry_1')).delivery).toMatchObject({ status: 'succeeded' });
});

test('a delivery that the first try of a request cancelled is shown to its second try', async () => {
  const { workspaceId, delivery: { id } } = await deliveryAfter(500);
  const first = await cancel(workspaceId, id);
  expect(await dispatcher.deliveries.cancelDelivery({ caller: { workspaceId }, id, isRepeat: true })).toEqual(first);
});
