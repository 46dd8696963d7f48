// The pause that an endpoint asks for with 429 or 503 and Retry-After: who knows of it, what it outlasts, and what ends it.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { answer, eventually, inTurn, WebhookReceiver, type Behaviour } from '@na/testing';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

const pauseMs = 3_600_000;
const busy = answer(429, '', { 'retry-after': String(pauseMs / 1_000) });

interface Paused {
  caller: { workspaceId: string; actor: string };
  id: string;
  /** The delivery that was answered with the pause. */
  first: Awaited<ReturnType<DispatcherBed['deliveryIn']>>;
}

/** An endpoint that has asked for a pause, and answers 200 from now on. */
async function pausedEndpoint(): Promise<Paused> {
  receiver.behave(inTurn(busy, answer(200)));
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const first = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  return { caller: { workspaceId, actor: 'test' }, id, first };
}

/** An endpoint with an attempt that is not answered yet. @param reply comes once it is released, and `then` to what is sent meanwhile and later */
async function attemptUnderWay(reply: Behaviour, ...then: Behaviour[]) {
  const held = Promise.withResolvers<void>();
  receiver.behave(inTurn((response, request, count) => void held.promise.then(() => reply(response, request, count)), ...then));
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(1);
  return { workspaceId, id, caller: { workspaceId, actor: 'test' }, release: () => held.resolve() };
}

const pausedUntil = async ({ caller, id }: Paused) => {
  const { endpoint } = await dispatcher.endpoints.getEndpoint({ caller, id });
  return endpoint!.pausedUntil && timestampDate(endpoint!.pausedUntil);
};

/**
 * Resolves when the due loop has looked at the schedule again: an ordered endpoint is only served by it, and whatever else was due by
 * then was taken along.
 */
async function looksAgain(): Promise<void> {
  const witness = await WebhookReceiver.start();
  const { workspaceId } = await dispatcher.createEndpoint(witness.url, { ordered: true });
  dispatcher.bed.clock.advance(1_001);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await witness.received(1);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await witness.stop();
}

/** Another event comes, and the first delivery is tried again by hand: neither is sent before the pause is over. */
async function expectToWait(paused: Paused): Promise<void> {
  const { workspaceId } = paused.caller;
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.untilListed(workspaceId, 2);
  await dispatcher.deliveries.retryDelivery({ caller: paused.caller, id: paused.first.id });
  await looksAgain();
  expect(receiver.requests).toHaveLength(1);
}

const shownNext = async ({ caller }: Paused) => {
  const listed = await dispatcher.list(caller.workspaceId);
  const read = await Promise.all(listed.map(async ({ id }) => (await dispatcher.deliveries.getDelivery({ caller, id })).delivery!));
  return [...listed, ...read].map(({ nextRetryAt }) => nextRetryAt && timestampDate(nextRetryAt));
};

test('it is shown, and everything to the endpoint waits for its end, tries by hand too', async () => {
  const before = dispatcher.bed.clock.now().getTime();
  const paused = await pausedEndpoint();
  const until = await pausedUntil(paused);
  expect(until!.getTime()).toBeGreaterThanOrEqual(before + pauseMs);
  await expectToWait(paused);
  expect(await shownNext(paused)).toEqual([until, until, until, until]);
  dispatcher.bed.clock.set(new Date(until!.getTime() + 1));
  await receiver.received(3);
  await eventually(async () => expect(await shownNext(paused)).toEqual(Array(4).fill(undefined)));
});

test('once it is over a single request finds out, and the others follow when that has succeeded', async () => {
  const held = Promise.withResolvers<void>();
  const paused = await pausedEndpoint();
  const { workspaceId } = paused.caller;
  receiver.behave(inTurn(busy, (response) => void held.promise.then(() => response.end()), answer(200)));
  for (let i = 0; i < 8; i++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.untilListed(workspaceId, 9);
  dispatcher.bed.clock.advance(pauseMs);
  await receiver.received(2);
  await looksAgain();
  expect(receiver.requests).toHaveLength(2);
  held.resolve();
  await receiver.received(10);
});

test('a test delivery is sent in spite of it, once, and leaves it as it is', async () => {
  const paused = await pausedEndpoint();
  const { caller, id } = paused;
  const until = await pausedUntil(paused);
  await dispatcher.endpoints.testEndpoint({ caller, id, eventType: 'webhook.test' });
  await receiver.received(2);
  await dispatcher.oneInState(caller.workspaceId, 'succeeded');
  expect(await pausedUntil(paused)).toEqual(until);
});

test('it outlasts the dispatcher', async () => {
  const paused = await pausedEndpoint();
  await dispatcher.stopDispatchers();
  await dispatcher.startDispatcher();
  await expectToWait(paused);
});

test('a change of anything but the address leaves it as it is', async () => {
  const paused = await pausedEndpoint();
  const { caller, id } = paused;
  const until = await pausedUntil(paused);
  await dispatcher.endpoints.updateEndpoint({ caller, id, settings: { description: 'Another' }, fields: ['description'] });
  expect(await pausedUntil(paused)).toEqual(until);
  await expectToWait(paused);
});

test('what the server at the old address asks for does not bind the one at the new', async () => {
  const { workspaceId, id, caller, release } = await attemptUnderWay(busy, answer(200));
  await dispatcher.endpoints.updateEndpoint({ caller, id, settings: { url: `${receiver.url}/new` }, fields: ['url'] });
  release();
  const first = await dispatcher.oneInState(workspaceId, 'retrying');
  expect(await pausedUntil({ caller, id, first })).toBeUndefined();
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(2);
});

test('enabling ends it also while an attempt from before is under way', async () => {
  const { workspaceId, id, caller, release } = await attemptUnderWay(answer(200), busy, answer(200));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.oneInState(workspaceId, 'retrying');
  await dispatcher.endpoints.enableEndpoint({ caller, id });
  release();
  await dispatcher.oneInState(workspaceId, 'succeeded');
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(3);
});

test.each([
  ['ask for a pause', busy],
  ['have it disabled', answer(410)],
])('an attempt that was under way when its endpoint was enabled can not %s any more', async (_, reply) => {
  const { workspaceId, id, caller, release } = await attemptUnderWay(reply, answer(200));
  dispatcher.bed.clock.advance(1);
  await dispatcher.endpoints.enableEndpoint({ caller, id });
  release();
  await eventually(async () => expect((await dispatcher.list(workspaceId))[0]).toMatchObject({ attempts: 1 }));
  const { endpoint } = await dispatcher.endpoints.getEndpoint({ caller, id });
  expect([endpoint!.status, endpoint!.pausedUntil]).toEqual(['enabled', undefined]);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await receiver.received(2);
});

test('all replicas go by it at once, also those that have the endpoint in memory', async () => {
  const other = await dispatcher.startDispatcher();
  let isBusy = false;
  receiver.behave((...request) => (isBusy ? busy : answer(200))(...request));
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  const publish = async (count: number) => {
    for (let event = 0; event < count; event++) await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  };
  await publish(20);
  await receiver.received(20);
  isBusy = true;
  await publish(1);
  await dispatcher.oneInState(workspaceId, 'retrying');
  await looksAgain();
  const { length } = receiver.requests;
  await publish(20);
  await dispatcher.untilListed(workspaceId, 41);
  await looksAgain();
  expect(receiver.requests).toHaveLength(length);
  await other.stop();
});

test('a shorter one does not end a longer one, nor does the success of what was in flight', async () => {
  const { workspaceId, id, caller, release } = await attemptUnderWay(answer(200), busy, answer(429, '', { 'retry-after': '1' }), answer(200));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const first = await dispatcher.oneInState(workspaceId, 'retrying');
  const until = await pausedUntil({ caller, id, first });
  release();
  await dispatcher.oneInState(workspaceId, 'succeeded');
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.untilListed(workspaceId, 3);
  await looksAgain();
  expect(receiver.requests).toHaveLength(2);
  expect(await pausedUntil({ caller, id, first })).toEqual(until);
});

test.each([
  ['enabling the endpoint', ({ caller, id }: Paused) => dispatcher.endpoints.enableEndpoint({ caller, id })],
  ['another address', ({ caller, id }: Paused) => dispatcher.endpoints.updateEndpoint({ caller, id, settings: { url: `${receiver.url}/new` }, fields: ['url'] })],
])('%s ends it, and what waited goes out', async (_, end) => {
  const paused = await pausedEndpoint();
  await dispatcher.publish(dispatcher.pageCreated(paused.caller.workspaceId));
  await dispatcher.untilListed(paused.caller.workspaceId, 2);
  await looksAgain();
  expect(receiver.requests).toHaveLength(1);
  await end(paused);
  expect(await pausedUntil(paused)).toBeUndefined();
  await eventually(async () => {
    dispatcher.bed.clock.advance(1_001);
    expect(receiver.requests.length).toBe(3);
  });
});
