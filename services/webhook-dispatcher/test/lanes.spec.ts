import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Envelope } from '@na/contracts';
import { answer, eventually, hang, inTurn, WebhookReceiver } from '@na/testing';
import { failuresToOpen } from '../src/deliveries/breaker.js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

async function setEndpoint(id: string, assignment: string): Promise<void> {
  await dispatcher.sql.query(`UPDATE endpoints SET ${assignment} WHERE id = $1`, [id]);
}

const eventIds = () => receiver.requests.map(({ headers }) => headers['webhook-id']);

test('an endpoint that hangs holds no more than its own attempts, and others are served', async () => {
  receiver.behave((response, request) => (request.path === '/hook/slow' ? hang : answer(200))(response, request, 0));
  const slow = await dispatcher.createEndpoint(`${receiver.url}/slow`, { timeoutMs: 20_000 });
  const well = await dispatcher.createEndpoint(`${receiver.url}/well`);
  for (let i = 0; i < 150; i++) await dispatcher.publish(dispatcher.pageCreated(slow.workspaceId));
  for (let i = 0; i < 5; i++) await dispatcher.publish(dispatcher.pageCreated(well.workspaceId));
  await receiver.until((all) => all.filter(({ path }) => path === '/hook/well').length === 5);
  expect(receiver.requests.filter(({ path }) => path === '/hook/slow')).toHaveLength(10);
});

test('endpoints that hang, of which one workspace has more than the replica makes attempts, do not keep those of others waiting', async () => {
  const released = Promise.withResolvers<void>();
  receiver.behave((response, request) => (request.path === '/hook/well' ? void response.end() : void released.promise.then(() => response.end())));
  const { workspaceId } = await dispatcher.createEndpoint(`${receiver.url}/hangs`, { timeoutMs: 30_000, maxInFlight: 80 });
  await dispatcher.createEndpoint(`${receiver.url}/hangs`, { workspaceId, timeoutMs: 30_000, maxInFlight: 80 });
  const well = await dispatcher.createEndpoint(`${receiver.url}/well`);
  for (let i = 0; i < 100; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.until((all) => all.length >= 20);
  for (let i = 0; i < 5; i++) await dispatcher.publish(dispatcher.pageCreated(well.workspaceId));
  await receiver.until((all) => all.filter(({ path }) => path === '/hook/well').length === 5);
  expect(receiver.requests.filter(({ path }) => path === '/hook/hangs').length).toBeLessThanOrEqual(50);
  released.resolve();
});

test('more deliveries than memory holds wait in the database and are all made', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  const events = Array.from({ length: 400 }, () => dispatcher.pageCreated(workspaceId));
  await Promise.all(events.map((event) => dispatcher.publish(event)));
  await receiver.received(400);
  expect(new Set(eventIds())).toEqual(new Set(events.map(({ id }) => id)));
});

test.each([429, 503])('%i with Retry-After leaves the whole endpoint alone for that long', async (status) => {
  receiver.behave(inTurn(answer(status, '', { 'retry-after': '120' }), answer(200)));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const first = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  const later = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(later);
  await dispatcher.untilListed(workspaceId, 2);
  dispatcher.moveTo(first, 1_000);
  expect(receiver.requests).toHaveLength(1);
  dispatcher.moveTo(first);
  await receiver.received(3);
  expect(new Set(eventIds().slice(1))).toEqual(new Set([first.eventId, later.id]));
});

test('after a pause one delivery finds out whether the endpoint is well again, and the others wait in the database until it is', async () => {
  const held = Promise.withResolvers<void>();
  const refusals = Array.from({ length: failuresToOpen }, () => answer(500));
  receiver.behave(inTurn(...refusals, (response) => void held.promise.then(() => response.end()), answer(200)));
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  for (let i = 0; i < failuresToOpen; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await eventually(async () => expect((await dispatcher.list(workspaceId)).filter(({ status }) => status === 'retrying')).toHaveLength(failuresToOpen));
  for (let i = 0; i < 8; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.untilListed(workspaceId, failuresToOpen + 8);
  dispatcher.bed.clock.advance(2_000);
  await receiver.received(failuresToOpen + 1);
  const { rows } = await dispatcher.sql.query(`SELECT id FROM deliveries WHERE endpoint_id = $1 AND leased_by IS NOT NULL`, [endpointId]);
  expect(rows).toHaveLength(1);
  held.resolve();
  await receiver.received(failuresToOpen + 8);
});

test('410 ends a delivery at once', async () => {
  receiver.behave(answer(410));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  expect(await dispatcher.deliveryIn(workspaceId, 'failed', 1)).toMatchObject({ responseCode: 410, finalStatus: 'failed' });
});

test('an ordered endpoint gets events one at a time and in order, and a failing one holds up the next', async () => {
  receiver.behave(inTurn(answer(200), answer(500), answer(200)));
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await setEndpoint(endpointId, 'ordered = true');
  const events: Envelope[] = [];
  for (let i = 0; i < 4; i++) {
    const event = dispatcher.pageCreated(workspaceId);
    events.push(event);
    await dispatcher.publish(event);
    dispatcher.bed.clock.advance(1);
  }
  await receiver.received(2);
  const retrying = await dispatcher.oneInState(workspaceId, 'retrying');
  expect(retrying.eventId).toBe(events[1]!.id);
  expect(receiver.requests).toHaveLength(2);
  dispatcher.moveTo(retrying);
  await receiver.received(5);
  expect(eventIds()).toEqual([0, 1, 1, 2, 3].map((index) => events[index]!.id));
});

test('no more attempts a second are made than the endpoint allows', async () => {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await setEndpoint(endpointId, 'rate_limit_per_second = 2');
  for (let i = 0; i < 5; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(1);
  await dispatcher.untilListed(workspaceId, 5);
  for (let sent = 1; sent < 5; sent++) {
    expect(receiver.requests).toHaveLength(sent);
    dispatcher.bed.clock.advance(500);
    await receiver.received(sent + 1);
  }
});
