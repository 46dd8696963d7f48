import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { EndpointSchema, etagOf, eventData, examplePayload, newEvent, type CreateEndpointRequest, type Envelope } from '@na/contracts';
import { createReplyKey } from '@na/messaging';
import { ServiceError } from '@na/service-error';
import { answer, eventually, inTurn, WebhookReceiver } from '@na/testing';
import { verifyWebhook } from '@notion-analytics/webhook-signature';
import { typeid } from 'typeid-js';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

type Wanted = Partial<Pick<CreateEndpointRequest, 'eventTypes' | 'description' | 'url' | 'pageIds' | 'headers' | 'rateLimitPerSecond' | 'maxInFlight' | 'ordered' | 'timeoutMs'>>;

async function create(workspaceId: string, wanted: Wanted = {}) {
  const request = { caller: { workspaceId }, url: receiver.url, eventTypes: ['*'], replyPublicKey: createReplyKey().publicKey, ...wanted };
  return (await dispatcher.endpoints.createEndpoint(request)).endpoint!;
}

async function get(workspaceId: string, id: string) {
  return (await dispatcher.endpoints.getEndpoint({ caller: { workspaceId }, id })).endpoint!;
}

/** Published, and taken by an endpoint that wants everything: whatever else wanted it has its delivery by then. */
async function publishAll(events: Envelope[], watcher: { url: string }) {
  const { workspaceId } = events[0]!;
  const everything = await create(workspaceId, { url: `${watcher.url}/watcher` });
  for (const event of events) await dispatcher.publish(event);
  await receiver.until((all) => events.every(({ id }) => all.some(({ path, headers }) => path.endsWith('/watcher') && headers['webhook-id'] === id)));
  return everything;
}

const newWorkspace = () => typeid('ws').toString();

test('an endpoint is kept as it was asked for, and its credentials are shown to nobody', async () => {
  const workspaceId = newWorkspace();
  const wanted = { description: 'CI', pageIds: ['page_1', 'page_1'], rateLimitPerSecond: 5, maxInFlight: 1, ordered: true, timeoutMs: 2_000 };
  const { id } = await create(workspaceId, { ...wanted, headers: { Authorization: 'Bearer abc', 'X-Team': 'web' } });
  const endpoint = await get(workspaceId, id);
  expect(endpoint).toMatchObject({ ...wanted, pageIds: ['page_1'], status: 'enabled', headers: { authorization: '•••', 'x-team': 'web' } });
  const { rows } = await dispatcher.sql.query<{ headers: object }>('SELECT headers FROM endpoints WHERE id = $1', [id]);
  expect(rows[0]!.headers).toEqual({ authorization: 'Bearer abc', 'x-team': 'web' });
  expect((await dispatcher.endpoints.listEndpoints({ caller: { workspaceId }, limit: 10 })).endpoints).toEqual([endpoint]);
});

test('headers of the system, broken ones and unknown event types are refused with pointers, and nothing is created', async () => {
  const workspaceId = newWorkspace();
  const attempt = create(workspaceId, { eventTypes: ['goal.*', 'gaol.*'], headers: { Host: 'x', 'webhook-id': 'x', 'X-A': 'a\r\nX-B: c' } });
  const pointers = ['/event_types/1', '/headers/Host', '/headers/webhook-id', '/headers/X-A'];
  const refusal = await attempt.catch((error: ServiceError) => error);
  expect(refusal).toMatchObject({ code: 'invalid_request' });
  expect((refusal as ServiceError).fields.map(({ pointer }) => pointer).sort()).toEqual(pointers.sort());
  expect((await dispatcher.endpoints.listEndpoints({ caller: { workspaceId }, limit: 10 })).endpoints).toEqual([]);
});

test('an update changes what it names and nothing else', async () => {
  const workspaceId = newWorkspace();
  const { id, ...before } = await create(workspaceId, { rateLimitPerSecond: 5, headers: { 'x-a': '1' }, description: 'old' });
  const settings = { description: 'new', headers: { 'x-b': '2' } };
  await dispatcher.endpoints.updateEndpoint({ caller: { workspaceId }, id, settings, fields: ['description', 'headers.x-b', 'rate_limit_per_second'] });
  const after = await get(workspaceId, id);
  expect(after).toEqual({ ...before, id, description: 'new', headers: { 'x-a': '1', 'x-b': '2' }, rateLimitPerSecond: undefined });
});

test('updates at the same time do not undo each other', async () => {
  const workspaceId = newWorkspace();
  const { id } = await create(workspaceId);
  const names = Array.from({ length: 10 }, (_, index) => `x-${index}`);
  const update = (name: string) => dispatcher.endpoints.updateEndpoint({ caller: { workspaceId }, id, settings: { headers: { [name]: 'v' } }, fields: [`headers.${name}`] });
  await Promise.all(names.map(update));
  expect(Object.keys((await get(workspaceId, id)).headers).sort()).toEqual(names);
});

test('of changes that go by the same ETag one is made, whatever its kind, and the others are refused', async () => {
  const workspaceId = newWorkspace();
  const caller = { workspaceId };
  const { id } = await create(workspaceId, { headers: { 'x-b': '2', 'x-a': '1' } });
  const ifMatch = etagOf(EndpointSchema, await get(workspaceId, id));
  const changes = ['a', 'b', 'c'].map((description) => dispatcher.endpoints.updateEndpoint({ caller, id, settings: { description }, fields: ['description'], ifMatch }));
  const results = await Promise.allSettled(changes);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const stale = [
    dispatcher.endpoints.updateEndpoint({ caller, id, settings: { description: 'd' }, fields: ['description'], ifMatch }),
    dispatcher.endpoints.rotateSecret({ caller, id, overlapSeconds: 0, replyPublicKey: createReplyKey().publicKey, ifMatch }),
    dispatcher.endpoints.deleteEndpoint({ caller, id, ifMatch }),
  ];
  for (const change of stale) await expect(change).rejects.toMatchObject({ code: 'precondition_failed' });
  await dispatcher.endpoints.deleteEndpoint({ caller, id, ifMatch: etagOf(EndpointSchema, await get(workspaceId, id)) });
});

test('a deleted endpoint is gone, what it was still to be sent is cancelled, and what is recorded stays', async () => {
  receiver.behave(answer(503));
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const retrying = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id });

  await expect(get(workspaceId, id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id })).rejects.toMatchObject({ code: 'not_found' });
  expect((await dispatcher.endpoints.listEndpoints({ caller: { workspaceId }, limit: 10 })).endpoints).toEqual([]);
  const cancelled = await dispatcher.deliveryIn(workspaceId, 'cancelled', 1);
  expect([cancelled.id, cancelled.finalStatus, cancelled.nextRetryAt]).toEqual([retrying.id, 'cancelled', undefined]);
  dispatcher.moveTo(retrying);
  receiver.behave(answer(200));
  const later = dispatcher.pageCreated(workspaceId);
  await publishAll([later], receiver);
  expect(receiver.requests.filter(({ path }) => path === '/hook')).toHaveLength(1);
});

test('a workspace has at most 50 endpoints, also when they are made at the same time', async () => {
  const workspaceId = newWorkspace();
  const results = await Promise.allSettled(Array.from({ length: 53 }, () => create(workspaceId)));
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(['conflict', 'conflict', 'conflict']);
  expect((refused[0]!.reason as Error).message).toContain('50 are the most');
  const { endpoints } = await dispatcher.endpoints.listEndpoints({ caller: { workspaceId }, limit: 100 });
  await dispatcher.endpoints.deleteEndpoint({ caller: { workspaceId }, id: endpoints[0]!.id });
  await expect(create(workspaceId)).resolves.toMatchObject({ status: 'enabled' });
});

test('a disabled endpoint keeps the reason and gets nothing; enabling it tells what it missed', async () => {
  const workspaceId = newWorkspace();
  const { id } = await create(workspaceId, { eventTypes: ['page.*', 'webhook.*'], pageIds: ['page_mine'] });
  const { endpoint } = await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id, reason: 'Moving house.' });
  expect(endpoint).toMatchObject({ status: 'disabled', disabledReason: 'Moving house.' });

  dispatcher.bed.clock.advance(1_000);
  const createdAt = dispatcher.bed.clock.now();
  const pageEvent = (pageId: string) => newEvent({ type: 'page.created', workspaceId, createdAt, data: { pageId, url: 'https://example.com', title: 'A page' } });
  const aboutEndpoint = (endpointId: string) => newEvent({ type: 'webhook.endpoint.failing', workspaceId, createdAt, data: { endpointId } });
  const unwanted = [pageEvent('page_other'), newEvent({ type: 'key.created', workspaceId, createdAt, data: {} }), aboutEndpoint(id)];
  const watcher = await publishAll([pageEvent('page_mine'), pageEvent('page_mine'), aboutEndpoint('we_other'), ...unwanted], receiver);
  await dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id: watcher.id, eventType: 'webhook.test' });

  const again = await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id, reason: 'Still moving.' });
  expect(again.endpoint).toMatchObject({ disabledReason: 'Still moving.', disabledAt: endpoint!.disabledAt });
  const withoutReason = await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  expect(withoutReason.endpoint).toMatchObject({ disabledReason: 'Still moving.' });
  const enabled = await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id });
  expect([enabled.endpoint!.status, enabled.endpoint!.disabledReason, enabled.endpoint!.disabledAt]).toEqual(['enabled', undefined, undefined]);
  expect([enabled.missedEvents, timestampDate(enabled.missedSince!)]).toEqual([3, timestampDate(endpoint!.disabledAt!)]);
  expect(receiver.requests.filter(({ path }) => path === '/hook')).toEqual([]);
  const enabledAgain = await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id });
  expect([enabledAgain.missedEvents, enabledAgain.missedSince]).toEqual([0, undefined]);
  const repeated = await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id, isRepeat: true });
  expect([repeated.missedEvents, repeated.missedSince]).toEqual([3, enabled.missedSince]);
});

test('what waited for a disabled endpoint goes on when it is enabled, and its health begins anew', async () => {
  receiver.behave(answer(503));
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const retrying = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  await dispatcher.sql.query(`UPDATE endpoints SET failing_since = now(), failed_attempts = 30, warnings = 2 WHERE id = $1`, [id]);
  dispatcher.moveTo(retrying);
  receiver.behave(answer(200));
  const { endpoint } = await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id });
  expect(endpoint!.failingSince).toBeUndefined();
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 2);
  const { rows } = await dispatcher.sql.query('SELECT failing_since, failed_attempts, warnings FROM endpoints WHERE id = $1', [id]);
  expect(rows).toEqual([{ failing_since: null, failed_attempts: 0, warnings: 0 }]);
});

test('a test delivery is a real, signed one of the documented example, to this endpoint alone and whatever it subscribed to', async () => {
  const { workspaceId, endpointId: id, secret } = await dispatcher.createEndpoint(receiver.url, { eventTypes: ['page.created'] });
  await dispatcher.createEndpoint(`${receiver.url}/other`, { workspaceId });
  const test = await dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'goal.converted' });
  const delivery = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  expect(delivery).toMatchObject({ id: test.deliveryId, eventId: test.eventId, eventType: 'goal.converted', endpointId: id });
  const [{ headers, body, path }, ...others] = receiver.requests as [(typeof receiver.requests)[0]];
  expect([path, others]).toEqual(['/hook', []]);
  expect(verifyWebhook({ body, headers, secrets: secret, now: dispatcher.bed.clock.now() })).toMatchObject({ ok: true });
  expect(JSON.parse(body.toString())).toEqual({ ...examplePayload('goal.converted'), id: test.eventId, workspace_id: workspaceId, created_at: dispatcher.bed.clock.now().toISOString() });
});

test('there is no test delivery of an event type that is not there', async () => {
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  const attempt = dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'goal.*' });
  await expect(attempt).rejects.toMatchObject({ code: 'invalid_request', fields: [{ pointer: '/event_type' }] });
  expect(await dispatcher.list(workspaceId)).toEqual([]);
});

test.each([false, true])('a disabled endpoint gets a test delivery, once and signed, and nothing else of what waits for it (ordered: %s)', async (ordered) => {
  receiver.behave(answer(503));
  const { workspaceId, endpointId: id, secret } = await dispatcher.createEndpoint(receiver.url, { ordered });
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  dispatcher.moveTo(await dispatcher.deliveryIn(workspaceId, 'retrying', 1));
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  await receiver.until((all) => all.length > 0);
  receiver.requests.splice(0);
  const test = () => dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'goal.converted' });

  const failing = await outcomeOf(workspaceId, (await test()).deliveryId);
  expect(failing).toMatchObject({ status: 'failed', attempts: 1, maxAttempts: 1, responseCode: 503 });
  receiver.behave(answer(200));
  const { deliveryId, eventId } = await test();
  expect(await outcomeOf(workspaceId, deliveryId)).toMatchObject({ status: 'succeeded', attempts: 1, responseCode: 200 });
  const { headers, body } = receiver.requests.at(-1)!;
  expect(verifyWebhook({ body, headers, secrets: secret, now: dispatcher.bed.clock.now() })).toMatchObject({ ok: true, event: { id: eventId, type: 'goal.converted' } });
  expect(receiver.requests.filter((request) => request.headers['x-webhook-event'] === 'page.created')).toEqual([]);
  expect((await get(workspaceId, id)).status).toBe('disabled');
});

test('a test delivery to an ordered endpoint does not wait behind what fails, nor keep from its turn what comes after', async () => {
  receiver.behave((response, { headers }) => void response.writeHead(headers['x-webhook-event'] === 'webhook.test' ? 200 : 500).end());
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url, { ordered: true });
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const failing = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  const { deliveryId } = await dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'webhook.test' });
  expect(await outcomeOf(workspaceId, deliveryId)).toMatchObject({ status: 'succeeded', attempts: 1 });
  const later = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(later);
  await dispatcher.untilListed(workspaceId, 3);
  receiver.behave(answer(200));
  receiver.requests.splice(0);
  dispatcher.moveTo(failing);
  await receiver.received(2);
  expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([failing.eventId, later.id]);
});

test('tries of one test delivery to a disabled endpoint send it once', async () => {
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  const event = { eventId: typeid('evt').toString(), eventAt: timestampFromDate(dispatcher.bed.clock.now()) };
  const send = () => dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'goal.converted', ...event });
  const { deliveryId } = await send();
  expect(await outcomeOf(workspaceId, deliveryId)).toMatchObject({ status: 'succeeded' });
  expect((await send()).deliveryId).toBe(deliveryId);
  expect(receiver.requests).toHaveLength(1);
});

async function outcomeOf(workspaceId: string, deliveryId: string) {
  return eventually(async () => {
    const delivery = (await dispatcher.list(workspaceId)).find(({ id }) => id === deliveryId);
    if (!delivery?.completedAt) throw new Error(`the delivery is ${delivery?.status}`);
    return delivery;
  });
}

test('the endpoint of another workspace looks like one that does not exist, whatever is asked of it', async () => {
  const { endpointId } = await dispatcher.createEndpoint(receiver.url);
  const caller = { workspaceId: newWorkspace() };
  const replyPublicKey = createReplyKey().publicKey;
  const { endpoints } = dispatcher;
  const attempts = (id: string) => [
    endpoints.getEndpoint({ caller, id }),
    endpoints.updateEndpoint({ caller, id, settings: { ordered: true }, fields: ['ordered'] }),
    endpoints.deleteEndpoint({ caller, id }),
    endpoints.enableEndpoint({ caller, id }),
    endpoints.disableEndpoint({ caller, id }),
    endpoints.rotateSecret({ caller, id, replyPublicKey }),
    endpoints.testEndpoint({ caller, id, eventType: 'webhook.test' }),
  ];
  const refusals = async (id: string) => (await Promise.allSettled(attempts(id))).map((result) => (result as PromiseRejectedResult).reason.message.replace(id, 'ID'));
  expect(await refusals(endpointId)).toEqual(Array(7).fill('There is no webhook with the id ID in this workspace.'));
  expect(await refusals('we_nonsense')).toEqual(await refusals(endpointId));
});

test('tries of one request make one endpoint, also at once and when it fills the workspace, and show the same secret', async () => {
  const workspaceId = newWorkspace();
  for (let i = 0; i < 49; i++) await create(workspaceId);
  const id = typeid('we').toString();
  const tries = Array.from({ length: 3 }, async () => {
    const replyKey = createReplyKey();
    const request = { caller: { workspaceId }, id, url: receiver.url, eventTypes: ['*'], replyPublicKey: replyKey.publicKey };
    const { endpoint, sealedSecret } = await dispatcher.endpoints.createEndpoint(request);
    return [endpoint!.id, replyKey.open(sealedSecret)];
  });
  expect(new Set((await Promise.all(tries)).map(String)).size).toBe(1);
  expect((await dispatcher.endpoints.listEndpoints({ caller: { workspaceId }, limit: 100 })).endpoints).toHaveLength(50);
});

test('the id of an endpoint of another workspace is taken, and that is all that is said', async () => {
  const { endpointId } = await dispatcher.createEndpoint(receiver.url);
  const request = { caller: { workspaceId: newWorkspace() }, id: endpointId, url: receiver.url, eventTypes: ['*'], replyPublicKey: createReplyKey().publicKey };
  await expect(dispatcher.endpoints.createEndpoint(request)).rejects.toMatchObject({ code: 'conflict', message: 'The id is taken.' });
});

test('tries of one test delivery send it once, also at once and after the endpoint was disabled', async () => {
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  const event = { eventId: typeid('evt').toString(), eventAt: timestampFromDate(dispatcher.bed.clock.now()) };
  const send = () => dispatcher.endpoints.testEndpoint({ caller: { workspaceId }, id, eventType: 'goal.converted', ...event });
  const sent = await Promise.all([send(), send(), send()]);
  await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await dispatcher.endpoints.disableEndpoint({ caller: { workspaceId }, id });
  expect(new Set([...sent, await send()].map(({ deliveryId }) => deliveryId))).toEqual(new Set((await dispatcher.list(workspaceId)).map((delivery) => delivery.id)));
});

test('who was told that an endpoint was disabled is told when it has recovered, once it was enabled', async () => {
  receiver.behave(inTurn(answer(410), answer(200)));
  const { workspaceId, endpointId: id } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  await dispatcher.deliveryIn(workspaceId, 'failed', 1);
  const { endpoint: disabled } = await dispatcher.endpoints.getEndpoint({ caller: { workspaceId }, id });
  await dispatcher.endpoints.enableEndpoint({ caller: { workspaceId }, id });
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const recovered = await dispatcher.bed.nextEvent('webhook.endpoint.recovered', workspaceId);
  expect(eventData(recovered)).toMatchObject({ endpoint_id: id, failing_since: timestampDate(disabled!.failingSince!).toISOString() });
});
