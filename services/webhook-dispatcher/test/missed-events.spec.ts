import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { newEvent, type Envelope } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { eventually, WebhookReceiver } from '@na/testing';
import { typeid } from 'typeid-js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => {
  dispatcher = await DispatcherBed.start();
  receiver = await WebhookReceiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await dispatcher.stop();
});

const now = () => dispatcher.bed.clock.now();

async function disabledEndpoint(workspaceId: string, filter: { eventTypes: string[]; pageIds: string[] }): Promise<string> {
  const caller = { workspaceId, actor: 'test' };
  const { endpoint } = await dispatcher.endpoints.createEndpoint({ caller, url: receiver.url, ...filter, replyPublicKey: createReplyKey().publicKey });
  await dispatcher.endpoints.disableEndpoint({ caller, id: endpoint!.id });
  return endpoint!.id;
}

function page(workspaceId: string, pageId: string, title = 'A page', createdAt = now()): Envelope {
  return newEvent({ type: 'page.created', workspaceId, createdAt, data: { pageId, url: 'https://example.com', title } });
}

/** A second apart; in the log when this resolves. */
async function happen(workspaceId: string, make: (() => Envelope)[]): Promise<Envelope[]> {
  const events: Envelope[] = [];
  for (const one of make) {
    dispatcher.bed.clock.advance(1_000);
    events.push(one());
    await dispatcher.publish(events.at(-1)!);
  }
  dispatcher.bed.clock.advance(1_000);
  await eventually(async () => {
    const { rowCount } = await dispatcher.sql.query('SELECT FROM events WHERE workspace_id = $1', [workspaceId]);
    expect(rowCount).toBe(events.length);
  });
  return events;
}

test.each([
  ['everything', { eventTypes: ['*'], pageIds: [] }, [0, 1, 2, 3, 5, 6]],
  ['one page', { eventTypes: ['*'], pageIds: ['page_mine'] }, [0, 2, 3, 5, 6]],
  ['one page, of page events', { eventTypes: ['page.*'], pageIds: ['page_mine'] }, [0, 2, 3]],
  ['a family that nothing happened in', { eventTypes: ['goal.*'], pageIds: [] }, []],
])('what is offered to an endpoint of %s at its enabling is what a replay counts, and then sends', async (_, filter, indexes) => {
  const workspaceId = typeid('ws').toString();
  const caller = { workspaceId };
  const endpointId = await disabledEndpoint(workspaceId, filter);
  const since = timestampFromDate(now());
  const about = (id: string) => newEvent({ type: 'webhook.endpoint.failing', workspaceId, createdAt: now(), data: { endpointId: id } });
  const events = await happen(workspaceId, [
    () => page(workspaceId, 'page_mine'),
    () => page(workspaceId, 'page_other', 'Not "page_id":"page_mine"'),
    () => page(workspaceId, 'page_mine', 'The "page_id":"page_other", with a \0 in it'),
    () => page(workspaceId, 'page_mine', 'Ümläut'),
    () => about(endpointId),
    () => about('we_other'),
    () => newEvent({ type: 'key.created', workspaceId, createdAt: now(), data: {} }),
  ]);
  const missed = indexes.map((index) => events[index]!.id);

  const { missedEvents } = await dispatcher.endpoints.enableEndpoint({ caller, id: endpointId });
  const replay = { caller, endpointId, since, until: timestampFromDate(now()), includeMissed: true };
  const { replay: planned } = await dispatcher.replays.createReplay({ ...replay, dryRun: true });
  expect([missedEvents, planned!.total]).toEqual([missed.length, missed.length]);

  await dispatcher.replays.createReplay(replay);
  const sent = () => receiver.requests.filter(({ body }) => body.includes(workspaceId)).map(({ headers }) => headers['webhook-id']);
  await eventually(async () => {
    dispatcher.bed.clock.advance(100);
    expect(sent()).toEqual(missed);
  });
  expect((await dispatcher.replays.createReplay({ ...replay, dryRun: true })).replay!.total).toBe(0);
});

test('what was missed over days is found, with hours between in which nothing happened', async () => {
  const workspaceId = typeid('ws').toString();
  const caller = { workspaceId };
  const endpointId = await disabledEndpoint(workspaceId, { eventTypes: ['*'], pageIds: [] });
  const since = timestampFromDate(now());
  const hours = (count: number) => () => (dispatcher.bed.clock.advance(count * 3_600_000), page(workspaceId, 'page_1'));
  const events = await happen(workspaceId, [hours(0), hours(30), hours(1), hours(5)]);
  expect((await dispatcher.endpoints.enableEndpoint({ caller, id: endpointId })).missedEvents).toBe(4);
  const { replay } = await dispatcher.replays.createReplay({ caller, endpointId, since, until: timestampFromDate(now()), includeMissed: true });
  await eventually(async () => {
    dispatcher.bed.clock.advance(100);
    expect((await dispatcher.replays.getReplay({ caller, endpointId, id: replay!.id })).replay).toMatchObject({ status: 'completed', total: 4, done: 4 });
  });
  const { deliveries } = await dispatcher.deliveries.listDeliveries({ caller, endpointId, limit: 10 });
  expect(deliveries.map(({ eventId }) => eventId).reverse()).toEqual(events.map(({ id }) => id));
});

test('what happened before the disabling and comes after it is not missed: it waits for the enabling, and is sent then', async () => {
  const workspaceId = typeid('ws').toString();
  const caller = { workspaceId };
  const before = now();
  dispatcher.bed.clock.advance(1_000);
  const endpointId = await disabledEndpoint(workspaceId, { eventTypes: ['*'], pageIds: [] });
  const [late, missed] = await happen(workspaceId, [() => page(workspaceId, 'page_1', 'Late', before), () => page(workspaceId, 'page_2', 'Missed')]);
  expect(await dispatcher.untilListed(workspaceId, 1)).toMatchObject([{ eventId: late!.id, status: 'pending', attempts: 0 }]);

  const { missedEvents } = await dispatcher.endpoints.enableEndpoint({ caller, id: endpointId });
  expect(missedEvents).toBe(1);
  await receiver.until(() => idsReceived().includes(late!.id));
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  expect(idsReceived()).not.toContain(missed!.id);
});

const idsReceived = () => receiver.requests.map(({ headers }) => headers['webhook-id']);
