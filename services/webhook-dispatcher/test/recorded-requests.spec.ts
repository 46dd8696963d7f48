// What the delivery table says was sent, beside what the receiver got.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createReplyKey } from '@na/messaging';
import { answer, eventually, hang, WebhookReceiver, type ReceivedRequest } from '@na/testing';
import { explainSignature } from '@notion-analytics/webhook-signature';
import { DispatcherBed } from './dispatcher-bed.js';

let dispatcher: DispatcherBed;
let receiver: WebhookReceiver;
beforeAll(async () => void (dispatcher = await DispatcherBed.start()));
afterAll(() => dispatcher.stop());
beforeEach(async () => void (receiver = await WebhookReceiver.start()));
afterEach(() => receiver.stop());

const credential = 'Bearer only-the-receiver-may-know';

/** A workspace whose endpoint has headers of its own. */
async function endpointWithHeaders() {
  const made = await dispatcher.createEndpoint(`${receiver.url}/first`);
  await change(made, { headers: { authorization: credential, 'x-team': 'growth' } }, ['headers.authorization', 'headers.x-team']);
  return made;
}

function change({ workspaceId, endpointId }: { workspaceId: string; endpointId: string }, settings: object, fields: string[]) {
  return dispatcher.endpoints.updateEndpoint({ caller: { workspaceId }, id: endpointId, settings, fields });
}

async function explained(workspaceId: string, status: string, attempts: number) {
  const { id } = await dispatcher.deliveryIn(workspaceId, status, attempts);
  const { request, attemptLog } = await dispatcher.deliveries.getDelivery({ caller: { workspaceId }, id });
  return { id, request: request!, attemptLog };
}

/** Less what belongs to the connection. */
function headersOf({ headers }: ReceivedRequest): object {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name)));
}

test('a delivery shows the request that was sent, credentials masked, whatever the webhook has become since', async () => {
  const made = await endpointWithHeaders();
  await dispatcher.publish(dispatcher.pageCreated(made.workspaceId));
  const first = await explained(made.workspaceId, 'succeeded', 1);
  await change(made, { url: `${receiver.url}/second`, headers: { 'x-team': 'sales' } }, ['url', 'headers.x-team']);

  const [sent] = await receiver.received(1);
  expect(sent!.headers.authorization).toBe(credential);
  const shown = (await explained(made.workspaceId, 'succeeded', 1)).request;
  expect(shown).toEqual(first.request);
  expect(shown).toMatchObject({ url: `${receiver.url}/first`, body: sent!.body.toString() });
  expect(shown.headers).toEqual({ ...headersOf(sent!), authorization: '•••' });

  await dispatcher.deliveries.retryDelivery({ caller: { workspaceId: made.workspaceId }, id: first.id });
  const second = await explained(made.workspaceId, 'succeeded', 2);
  expect(second.request.headers).toEqual({ ...headersOf(receiver.requests[1]!), authorization: '•••' });
  expect(second.attemptLog.map(({ url }) => url)).toEqual([`${receiver.url}/first`, `${receiver.url}/second`]);
});

test('a credential among the headers of a webhook is never written down with its attempts', async () => {
  const { workspaceId } = await endpointWithHeaders();
  receiver.behave(answer(500));
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'retrying', 1);
  const { rows } = await dispatcher.sql.query<{ row: string }>('SELECT a::text AS row FROM attempts a WHERE delivery_id = $1', [id]);
  expect(rows[0]!.row).toContain('growth');
  expect(rows[0]!.row).not.toContain(credential);
});

test('the request that is shown verifies by both schemes, with the secret of then and, while one is rotated, with the one before it', async () => {
  const { workspaceId, endpointId, secret } = await endpointWithHeaders();
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id, request } = await explained(workspaceId, 'succeeded', 1);
  const matches = (key: string, { headers, body }: typeof request) =>
    explainSignature({ secret: key, headers, body }).schemes.map(({ scheme, matches: all, given }) => [scheme, all, given.some((one) => one.matches)]);
  expect(matches(secret, request)).toEqual([['standard', true, true], ['raw-body', true, true]]);

  const replyKey = createReplyKey();
  const { sealedSecret } = await dispatcher.endpoints.rotateSecret({ caller: { workspaceId }, id: endpointId, overlapSeconds: 60, replyPublicKey: replyKey.publicKey });
  await dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id });
  const rotated = (await explained(workspaceId, 'succeeded', 2)).request;
  for (const key of [replyKey.open(sealedSecret), secret]) expect(matches(key, rotated)).toEqual([['standard', true, true], ['raw-body', true, true]]);
});

test('before any attempt the body alone is known', async () => {
  receiver.behave(hang);
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  const event = dispatcher.pageCreated(workspaceId);
  await dispatcher.publish(event);
  const { request, attemptLog } = await explained(workspaceId, 'pending', 0);
  expect([request.url, request.headers, attemptLog]).toEqual(['', {}, []]);
  expect(JSON.parse(request.body)).toMatchObject({ id: event.id });
});

test('of an attempt from before requests were recorded no URL and no headers are claimed', async () => {
  const { workspaceId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await dispatcher.sql.query('UPDATE attempts SET url = NULL, request_headers = NULL WHERE delivery_id = $1', [id]);
  const { request, attemptLog } = await explained(workspaceId, 'succeeded', 1);
  expect([request.url, request.headers, attemptLog[0]!.url]).toEqual(['', {}, undefined]);
  expect(request.body).not.toBe('');
});

test('where nothing could be sent nothing is said to have been', async () => {
  const { workspaceId, endpointId } = await dispatcher.createEndpoint(receiver.url);
  await dispatcher.publish(dispatcher.pageCreated(workspaceId));
  const { id } = await dispatcher.deliveryIn(workspaceId, 'succeeded', 1);
  await dispatcher.sql.query(`UPDATE endpoints SET sealed_secret = '\\x09'::bytea || substring(sealed_secret FROM 2) WHERE id = $1`, [endpointId]);
  await dispatcher.deliveries.retryDelivery({ caller: { workspaceId }, id });
  const { request, attemptLog } = await eventually(() => explained(workspaceId, 'retrying', 2));
  expect([request.url, request.headers, attemptLog[1]]).toMatchObject(['', {}, { error: 'secret_unavailable' }]);
  expect(attemptLog[1]!.url).toBeUndefined();
});
